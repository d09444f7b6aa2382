package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Pages are what files of a journal say, read by their description and not by
// package journal. Boxes are as they are written.
type pages struct {
	begun   []string          // in the order of the lines
	open    map[string]bool   // begun, and no more is said
	fate    map[string]string // the last: posted, empty or failed
	missing map[int][]string  // rows by slice, "" for all
	end     string            // of the last file
}

// journals are the files that process pid wrote about a stack; 0 is everybody.
func (g *stage) journals(logDir string, s stack, pid int) []string {
	g.Helper()
	who := "*"
	if pid != 0 {
		who = fmt.Sprintf("*_%d_*", pid)
	}
	names, err := filepath.Glob(g.path(logDir, "ingest_journal_lab_story_"+s.name, who+".jsonl"))
	if err != nil {
		g.Fatal(err)
	}
	return names
}

// pagesOf reads the files of process pid, or of everybody. A line that is being
// written is left out.
func (g *stage) pagesOf(logDir string, s stack, pid int) *pages {
	g.Helper()
	p := &pages{open: map[string]bool{}, fate: map[string]string{}, missing: map[int][]string{}}
	for _, name := range g.journals(logDir, s, pid) {
		text, err := os.ReadFile(name)
		if err != nil {
			g.Fatal(err)
		}
		text = text[:strings.LastIndexByte(string(text), '\n')+1]
		for line := range strings.Lines(string(text)) {
			if err := p.add(line); err != nil {
				g.Fatalf("%s: %v: %q", name, err, line)
			}
		}
	}
	return p
}

func (p *pages) add(line string) error {
	var l struct {
		Begin, Posted, Empty, Failed, Rows, End string
		Missing                                 *int
	}
	if err := json.Unmarshal([]byte(line), &l); err != nil {
		return err
	}
	for what, box := range map[string]string{"posted": l.Posted, "empty": l.Empty, "failed": l.Failed} {
		if box != "" {
			delete(p.open, box)
			p.fate[box] = what
		}
	}
	switch {
	case l.Begin != "":
		p.begun = append(p.begun, l.Begin)
		p.open[l.Begin] = true
	case l.Missing != nil:
		p.missing[*l.Missing] = append(p.missing[*l.Missing], l.Rows)
	case l.End != "":
		p.end = l.End
	}
	return nil
}

// done are the boxes that are posted or empty.
func (p *pages) done() (list []string) {
	for box, fate := range p.fate {
		if fate != "failed" {
			list = append(list, box)
		}
	}
	return list
}
