package boss

import (
	"fmt"
	"regexp"
	"strings"
)

// namePattern is the rule of BOSS's models. The patterns of its addresses are
// laxer and do not look at the end: a POST to …/collection/bad name creates the
// collection "bad". So no address is made of a name that breaks the rule.
var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// checkNames returns an error if one of names breaks the rule.
func checkNames(names ...string) error {
	for _, name := range names {
		if !namePattern.MatchString(name) {
			return fmt.Errorf("name %q: BOSS's names have 1 to 255 letters a-z and A-Z, digits, _ and -", name)
		}
	}
	return nil
}

// collectionPath and the like are the addresses of resources, without a slash
// at the end.
func collectionPath(name string) (string, error) {
	return "/v1/collection/" + name, checkNames(name)
}

func framePath(name string) (string, error) {
	return "/v1/coord/" + name, checkNames(name)
}

func experimentPath(collection, name string) (string, error) {
	return "/v1/collection/" + collection + "/experiment/" + name, checkNames(collection, name)
}

func channelPath(collection, experiment, name string) (string, error) {
	return "/v1/collection/" + collection + "/experiment/" + experiment + "/channel/" + name,
		checkNames(collection, experiment, name)
}

// metaPath is that of a collection, an experiment or a channel, with a slash.
func metaPath(names []string) (string, error) {
	if len(names) < 1 || len(names) > 3 {
		return "", fmt.Errorf("metadata of %q: want a collection, then perhaps an experiment, then perhaps a channel", names)
	}
	return "/v1/meta/" + strings.Join(names, "/") + "/", checkNames(names...)
}
