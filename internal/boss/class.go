package boss

import (
	"fmt"
	"net/http"
	"strings"
)

// A Class says what an error means for the requests to come.
type Class int

const (
	Permanent Class = iota // this request fails however often it is sent; others may succeed
	Transient              // the same request may succeed later
	Refused                // BOSS takes no data for now: a spent quota, a locked channel, a long Retry-After
	Fatal                  // no request of the job can succeed until a person acts
)

// String is the name of the constant in lower case.
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Refused:
		return "refused"
	case Fatal:
		return "fatal"
	}
	return fmt.Sprintf("boss.Class(%d)", int(c))
}

// A verdict is what is to be thought of an error.
type verdict struct {
	class Class
	tries int    // at most this many attempts in all; 0: as many as Options.Retry says
	says  string // in our words
}

// few attempts are made where a fault that passes looks like one that does not.
const few = 3

// A rule gives a verdict on the answers it matches: those with this status,
// this code unless it is 0, a path that starts with under and a message that
// contains text.
type rule struct {
	status, code int
	under, text  string
	verdict
}

// anyCode is the code of a rule for answers with whatever code BOSS may give.
const anyCode = 0

// rules are tried from the first to the last.
//
// The codes are those of the jhuapl-boss server (django/bosscore/error.py); what
// is behind them was observed on it. 9001 in an answer to a cutout is any
// exception in its storage layer, spdb: most pass (redis is restarted, or full),
// and the message tells those that do not.
var rules = []rule{
	{400, 9001, "", "Resource Locked", verdict{Refused, 0, "BOSS has locked this channel against writing until its operators unlock it"}},
	{400, 9001, "", "Resolution Mismatch", verdict{Fatal, 0, "BOSS takes data only at the channel's base resolution and the one above"}},
	{400, 9001, "", "Can't instantiate abstract class", verdict{Fatal, 0, "BOSS stores no data in a channel of this type and datatype"}},
	{400, 9001, "/v1/downsample/", "", verdict{Permanent, 0, "BOSS cannot downsample a channel whose x and y voxel sizes differ"}},
	{400, 9001, "", "", verdict{Transient, 0, "BOSS could not store or read the data"}},
	{400, 1002, "", "", verdict{Fatal, 0, "the channel has no such resolution"}},
	{400, 2001, "", "", verdict{Permanent, 0, "BOSS could not unpack the data"}},
	{400, 2002, "", "", verdict{Permanent, 0, "the data do not have the size that the cutout and the datatype ask for"}},
	{400, anyCode, "", "", verdict{Permanent, 0, "BOSS does not accept the request"}},

	{401, anyCode, "", "", verdict{Fatal, 0, "BOSS does not accept the token"}},
	{403, 3000, "", "", verdict{Fatal, 0, "the token's user lacks the role for this; ask the operators of BOSS"}},
	{403, 3001, "", "", verdict{Fatal, 0, "the token's user lacks a permission; ask the owner of the collection"}},
	{403, anyCode, "", "", verdict{Fatal, 0, "the token's user may not do this"}},
	{404, codeMissing, "", "", verdict{Fatal, 0, "not found"}},
	{404, codeDeleted, "", "", verdict{Fatal, 0, "deleted, and its name stays taken"}},
	{404, anyCode, "", "", verdict{Fatal, 0, "BOSS has no such address"}},
	{407, anyCode, "", "", verdict{Fatal, 0, "the proxy wants a name and a password"}},
	{408, anyCode, "", "", verdict{Transient, 0, "the server waited too long for the request"}},
	{409, anyCode, "", "", verdict{Permanent, 0, "the state of the channel does not allow this"}},
	{413, anyCode, "", "", verdict{Fatal, 0, "too large for one request"}},
	{415, anyCode, "", "", verdict{Fatal, 0, "BOSS does not know this format of data"}},
	{429, anyCode, "", "", verdict{Refused, 0, "the quota is spent"}},

	// A handler's exception gives an HTML page without a code. Some of these are
	// for good: the data type uint32, and, where only Blosc is accepted as the
	// answer, the 401, 405 and 415 that BOSS then cannot put into words.
	{500, 9002, "", "", verdict{Transient, 0, "an internal error of BOSS"}},
	{500, anyCode, "", "", verdict{Transient, few, "an internal error of BOSS"}},
	{502, anyCode, "", "", verdict{Transient, 0, "BOSS is not there at the moment"}},
	{503, anyCode, "", "", verdict{Transient, 0, "BOSS is not available at the moment"}},
	{504, anyCode, "", "", verdict{Transient, 0, "BOSS did not answer its own front end in time"}},
}

// BOSS's codes that callers tell apart.
const (
	codeExists  = 1003 // or any other fault that validation finds
	codeMissing = 4000
	codeDeleted = 4005
)

// judge decides what e means: by the first rule, or else by the hundreds.
func judge(e *Error) verdict {
	for _, r := range rules {
		if r.status == e.Status && (r.code == anyCode || r.code == e.Code) &&
			strings.HasPrefix(e.Path, r.under) && strings.Contains(e.Message, r.text) {
			return r.verdict
		}
	}
	switch says := strings.ToLower(http.StatusText(e.Status)); e.Status / 100 {
	case 2:
		return verdict{Fatal, 0, "not the answer that BOSS gives: is this the host of a BOSS?"}
	case 3:
		return verdict{Fatal, 0, "BOSS sends us elsewhere, where we do not take the token: correct protocol and host"}
	case 5:
		return verdict{Transient, few, says}
	default:
		return verdict{Permanent, 0, says}
	}
}
