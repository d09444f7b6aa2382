package cli

import "sync"

// onPoke calls f whenever the program is poked, until stop is called.
func (a *app) onPoke(f func()) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-a.Poke:
				f()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
