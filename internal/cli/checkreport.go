package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/human"
)

// A finding is what one look at something found; [event.Stream.Finding] has the same keys.
type finding struct {
	Channel string `json:"channel"`
	Check   string `json:"check"`
	Result  string `json:"result"`
	Text    string `json:"text"`
	// Plan are the numbers of the finding whose result is plan, a *planNumbers.
	Plan any `json:"plan,omitempty"`
}

// The results of a look.
const (
	resultOK   = "ok"
	resultWarn = "warn"
	resultFail = "fail"
	resultPlan = "plan" // no judgment
)

// A checkReport prints findings as they come, and remembers how bad they were.
type checkReport struct {
	w        io.Writer
	json     bool
	events   *event.Stream // nil: nobody reads them
	of       string        // the channel
	channels int           // so far
	failed   int           // findings that keep the ingest from succeeding
	refused  int           // of these: BOSS takes no data for now
	missing  int           // slices that are missing, and may be
	werr     error         // of w
}

// begin begins the findings of a channel.
func (r *checkReport) begin(channel string) {
	r.of = channel
	if r.json {
		return
	}
	if r.channels++; r.channels > 1 {
		r.write("\n")
	}
	r.write(channel + "\n")
}

func (r *checkReport) ok(check, format string, args ...any) {
	r.tell(resultOK, check, fmt.Sprintf(format, args...))
}

func (r *checkReport) worry(check, format string, args ...any) {
	r.tell(resultWarn, check, fmt.Sprintf(format, args...))
}

func (r *checkReport) fail(check, format string, args ...any) {
	r.tell(resultFail, check, fmt.Sprintf(format, args...))
}

// plan prints a line of the plan for people; programs read the numbers.
func (r *checkReport) plan(check, format string, args ...any) {
	if !r.json {
		r.line(resultPlan, check, fmt.Sprintf(format, args...))
	}
}

// tell prints one finding, which may take several lines.
func (r *checkReport) tell(result, check string, lines ...string) {
	if result == resultFail {
		r.failed++
	}
	for _, line := range lines {
		r.print(finding{Check: check, Result: result, Text: line})
	}
}

// tellErr prints the finding that err is, with its hint. That the person has
// lost patience is none.
func (r *checkReport) tellErr(result, check string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if result == resultFail && exitCode(err) == exitRefused {
		r.refused++
	}
	r.tell(result, check, inLines(err)...)
}

// inLines are the lines of an error; the last has its hint.
func inLines(err error) []string {
	lines := strings.Split(strings.TrimRight(err.Error(), "\n"), "\n")
	if h, ok := errors.AsType[*hinted](err); ok {
		lines[len(lines)-1] += "; " + h.hint
	}
	return lines
}

// marks are what a line begins with: what is wrong stands out.
var marks = map[string]string{resultOK: "ok", resultWarn: "warn", resultFail: "FAIL", resultPlan: "plan"}

func (r *checkReport) print(f finding) {
	f.Channel = r.of
	if !r.json {
		if r.events.Finding(f.Channel, f.Check, f.Result, f.Text, f.Plan); f.Plan == nil {
			r.line(f.Result, f.Check, f.Text)
		}
		return
	}
	text, err := json.Marshal(f)
	if err != nil {
		r.werr = err
		return
	}
	r.write(string(text) + "\n")
}

func (r *checkReport) line(result, check, text string) {
	r.write(fmt.Sprintf("%-5s %s: %s\n", marks[result], check, human.Line(text)))
}

func (r *checkReport) write(text string) {
	if r.werr == nil {
		_, r.werr = io.WriteString(r.w, text)
	}
}

// err is what the program ends with: what keeps an ingest from succeeding at all
// weighs more than what does for now, and that more than a gap.
func (r *checkReport) err() error {
	switch {
	case r.werr != nil:
		return r.werr
	case r.failed > r.refused:
		return &exitError{exitFatal, fmt.Errorf("the ingest would fail for %s: see FAIL above", human.Count(r.failed-r.refused, "reason"))}
	case r.refused > 0:
		return &exitError{exitRefused, errors.New("BOSS refuses writes for now")}
	case r.missing > 0:
		return &exitError{exitIncomplete, fmt.Errorf("the ingest would be incomplete: %s missing", human.Count(r.missing, "slice"))}
	}
	return nil
}
