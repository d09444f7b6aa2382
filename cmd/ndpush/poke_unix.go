//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// poked gets a signal when somebody asks for the progress, by kill -USR1.
func poked() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	return c
}
