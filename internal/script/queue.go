package script

import (
	"fmt"
	"strings"
	"time"
)

const (
	// pause is how long a share waits that BOSS does not take now: a lock lasts
	// minutes to hours, a quota until the next day.
	pause = 15 * time.Minute
	// tries make pause a day.
	tries = 96
)

// A queue is work for a batch system with job arrays.
type queue struct {
	*view
	First int // the index of the first share
}

// State is the directory for what the shares say, and for their statuses.
func (q *queue) State() string { return q.Job + "." + q.Engine }

// Last is the index of the last share.
func (q *queue) Last() int { return q.First + q.Shares - 1 }

func (q *queue) PauseMinutes() int { return int(pause / time.Minute) }
func (q *queue) PauseSeconds() int { return int(pause / time.Second) }
func (q *queue) Tries() int        { return tries }

// Minutes are those of a share. The engine's warning a minute ahead needs some.
func (q *queue) Minutes() int64       { return minutes(q.Time, 10*time.Minute) }
func (q *queue) VerifyMinutes() int64 { return minutes(q.VerifyTime, 10*time.Minute) }

// writeSlurm makes a job array, and a script that submits it between what comes
// before and after. The last job always runs: a dependency on success would keep
// the status from being seen, and verification from slices that are known to be
// missing.
func writeSlurm(v *view) ([]File, error) {
	v.Engine = "slurm"
	return (&queue{v, 0}).files("sbatch")
}

// writeLSF does the same for LSF, which counts from 1.
func writeLSF(v *view) ([]File, error) {
	v.Engine = "lsf"
	return (&queue{v, 1}).files("bsub")
}

func (q *queue) files(extension string) ([]File, error) {
	if strings.ContainsAny(q.Dir, `%\`) { // where it writes what jobs say, it takes them for signs of its own
		return nil, fmt.Errorf("%s cannot work in the directory %q", q.Engine, q.Dir)
	}
	names := [][2]string{{".sh", q.Engine + ".sh"}}
	if q.Create != nil {
		names = append(names, [2]string{"-create." + extension, q.Engine + "-create." + extension})
	}
	names = append(names, [2]string{"-shares." + extension, q.Engine + "-shares." + extension})
	if q.HasAfter() {
		names = append(names, [2]string{"-after." + extension, q.Engine + "-after." + extension})
	}
	return render(q.Job, q, names...)
}
