package progress

import "time"

// Vitals are how a run does, beside what became of its cuboids.
type Vitals struct {
	Read    int64 // bytes of voxels that were decoded since it began
	Sent    int64 // bytes that BOSS took since it began, as they are sent
	Workers int   // cuboids that are on their way now
	Allowed int   // as many as BOSS bears at a time now
	Retries int64 // requests that were sent again since it began

	Trouble string // the last thing that went wrong; "" if nothing did
	Since   time.Time
}

// A Status is how a run stands at one moment.
type Status struct {
	Snapshot
	Vitals
	At       time.Time
	Elapsed  time.Duration
	Quiet    time.Duration // since the last cuboid was finished with
	Rate     float64       // bytes of voxels finished with a second, lately
	ReadRate float64       // of Read
	SentRate float64       // of Sent
}

// Left is how long the rest takes at the rate of late; ok is false if nobody can say.
func (s Status) Left() (left time.Duration, ok bool) { return timeLeft(s.Snapshot, s.Rate) }

// setRates sets the rates.
func (s *Status) setRates(r rates) { s.Rate, s.ReadRate, s.SentRate = r.done, r.read, r.sent }

func (s Status) sample() sample { return sample{s.At, s.Cuboids(), s.Bytes, s.Read, s.Sent} }
