package discover

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// words are the parts of a base filename that may be the name of a channel.
var words = regexp.MustCompile(`[A-Za-z0-9]+`)

// placeholder is one of source.Naming.
var placeholder = regexp.MustCompile(`<[^>]*>`)

// mergeChannels makes one series with <ch> of those that differ in one word and
// have the same slices: channels that lie side by side.
func mergeChannels(list []*Series) []*Series {
	families := make(map[string][]*Series)
	names := make(map[string][]string)
	var order []string
	for _, s := range list {
		for key, word := range s.withoutWord() {
			if families[key] == nil {
				order = append(order, key)
			}
			families[key] = append(families[key], s)
			names[key] = append(names[key], word)
		}
	}
	slices.SortFunc(order, func(a, b string) int {
		if n := len(families[b]) - len(families[a]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	taken := make(map[*Series]bool)
	var merged []*Series
	for _, key := range order {
		family := families[key]
		if len(family) < 2 || slices.ContainsFunc(family, func(s *Series) bool { return taken[s] }) {
			continue
		}
		m := *family[0]
		m.BaseFilename, _, _ = strings.Cut(key, "\x00")
		m.Channels = names[key]
		slices.Sort(m.Channels)
		merged = append(merged, &m)
		for _, s := range family {
			taken[s] = true
		}
	}
	for _, s := range list {
		if !taken[s] {
			merged = append(merged, s)
		}
	}
	return merged
}

// alone gives the series of each of the channels.
func (s *Series) alone() (list []*Series) {
	for _, name := range s.Channels {
		one := *s
		one.BaseFilename, one.Channels = strings.ReplaceAll(s.BaseFilename, "<ch>", name), nil
		list = append(list, &one)
	}
	return list
}

// withoutWord gives, for each word of the base filename, what the series of a
// channel of another name would have in common with s, and the word.
func (s *Series) withoutWord() map[string]string {
	keys := make(map[string]string)
	holes := placeholder.FindAllStringIndex(s.BaseFilename, -1)
	for _, at := range words.FindAllStringIndex(s.BaseFilename, -1) {
		if slices.ContainsFunc(holes, func(h []int) bool { return h[0] < at[1] && at[0] < h[1] }) {
			continue
		}
		base := s.BaseFilename[:at[0]] + "<ch>" + s.BaseFilename[at[1]:]
		keys[fmt.Sprintf("%s\x00%s\x00%d\x00%v", base, s.Extension, s.ZStep, s.Slices)] = s.BaseFilename[at[0]:at[1]]
	}
	return keys
}
