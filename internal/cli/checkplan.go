package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
)

// planNumbers are the plan for programs. What is not known is 0.
type planNumbers struct {
	Data        string  `json:"data"` // in BOSS coordinates
	Cuboids     int64   `json:"cuboids"`
	CuboidsLeft int64   `json:"cuboids_left"`
	ReadBytes   int64   `json:"read_bytes"` // of what is left: voxels
	SendBytes   int64   `json:"send_bytes"` // before compression
	Compressed  int64   `json:"compressed_bytes"`
	Compression string  `json:"compression,omitempty"` // with which these are so many
	MemoryBytes int64   `json:"memory_bytes"`
	Workers     int     `json:"workers"`
	Seconds     float64 `json:"seconds_at_least"`
}

// printPlan says what the ingest will do, and what it takes.
func (c *checkup) printPlan(context.Context) {
	if c.road == nil {
		return
	}
	p := c.road.Plan
	n := planNumbers{Data: p.Data.String(), Cuboids: p.CountCuboids(), MemoryBytes: p.Memory().Total(), Workers: p.Workers}
	n.CuboidsLeft, n.SendBytes = c.road.Left()
	n.ReadBytes = n.SendBytes / int64(p.Channel.Size()) * int64(p.Source.Size())
	if n.Compressed = c.probed.compressedOf(n.SendBytes); n.Compressed > 0 {
		n.Compression = c.probed.how.String()
	}
	least := c.atLeast(n.SendBytes)
	n.Seconds = least.Seconds()
	c.print(finding{Check: "plan", Result: resultPlan, Text: c.timeWords(n.SendBytes), Plan: &n})
	c.plan("data", "%v in BOSS coordinates: %s of at most %d×%d×%d, of which %d are left to do",
		p.Data, human.Count(n.Cuboids, "cuboid"), p.Cuboid.X, p.Cuboid.Y, p.Cuboid.Z, n.CuboidsLeft)
	c.plan("bytes", "%s of voxels to read, %s to send before compression%s", human.Size(n.ReadBytes), human.Size(n.SendBytes), c.compressedWords(n.Compressed))
	c.plan("memory", "at most %s: %s that post, %s of rows in memory", human.Size(n.MemoryBytes), human.Count(p.Workers, "worker"), human.Count(p.Ahead, "band"))
	c.plan("time", "%s", c.timeWords(n.SendBytes))
}

// compressedOf is about how many bytes are sent of so many before compression, 0
// if that is not known. A nil probe measured nothing.
func (p *probe) compressedOf(bytes int64) int64 {
	if p == nil || p.bytes == 0 {
		return 0
	}
	return int64(float64(bytes) * float64(p.compressed) / float64(p.bytes))
}

func (c *checkup) compressedWords(bytes int64) string {
	p := c.probed
	if p == nil || p.bytes == 0 {
		return ""
	}
	with := p.how.String()
	if c.options.boss.compression == boss.Auto {
		with += ", or less with zstd"
	}
	return fmt.Sprintf(", about %s after with %s (as %s, %d of them empty)", human.Size(bytes), with, human.Count(int64(len(p.full))+p.empty, "cuboid"), p.empty)
}

// reading is how long it takes to read and compress so many bytes, 0 if that is
// not known.
func (p *probe) reading(bytes int64) time.Duration {
	if p == nil || p.bytes == 0 {
		return 0
	}
	return time.Duration(float64(p.took) * float64(bytes) / float64(p.bytes))
}

// posting is how long it takes to post what so many bytes are, if each post takes
// as long a byte as the canary's, 0 if that is not known.
func (c *checkup) posting(bytes int64) time.Duration {
	if c.posted.bytes == 0 {
		return 0
	}
	p := c.probed
	full := float64(len(p.full)) / float64(int64(len(p.full))+p.empty)
	return time.Duration(float64(c.posted.took) * full * float64(bytes) / float64(c.posted.bytes) / float64(c.road.Plan.Workers))
}

// atLeast is the longer of the two: they go on side by side.
func (c *checkup) atLeast(bytes int64) time.Duration {
	return max(c.probed.reading(bytes), c.posting(bytes))
}

// timeWords says how long it takes to carry so many bytes, and what of that was
// measured.
func (c *checkup) timeWords(bytes int64) string {
	p := c.probed
	switch {
	case bytes == 0:
		return "nothing is left to do"
	case c.tight:
		return "not measured, for there is too little memory"
	case p == nil || p.bytes == 0 && c.unmeasured != nil:
		return "not measured, for not all slices can be read"
	case p.bytes == 0:
		return fmt.Sprintf("not known: not one band of rows could be read in %v", probeTime)
	}
	text := fmt.Sprintf("at %s read and compressed (measured), %s take %s at least", human.Rate(p.bytes, p.took), human.Size(bytes), span(p.reading(bytes)))
	if c.posted.bytes == 0 {
		return text + "; the network was not measured (--canary does)"
	}
	return text + fmt.Sprintf("; at %s a post (measured on one), %d at a time, posting takes %s at least",
		human.Rate(c.posted.bytes, c.posted.took), c.road.Plan.Workers, span(c.posting(bytes)))
}

// span gives a time to two places, as people say it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 100*time.Millisecond:
		return "less than 0.1 s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
}
