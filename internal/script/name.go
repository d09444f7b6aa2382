package script

import (
	"fmt"
	"hash/crc32"
	"strings"
)

// maxName leaves room for what is put behind a name: Kubernetes takes 63
// letters for the name of a pod, which ends in "-shares-" and an index.
const maxName = 40

// safeName is what every engine, file system and shell takes as a name, by the
// rules of DNS labels: lower-case letters, digits and hyphens between them. Names
// that differ in what gets lost differ in a sum at the end.
func safeName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
	}
	safe := strings.Trim(b.String(), "-")
	if safe == "" || safe[0] < 'a' {
		safe = strings.Trim("ndpush-"+safe, "-")
	}
	if len(safe) <= maxName {
		return safe
	}
	sum := fmt.Sprintf("-%08x", crc32.ChecksumIEEE([]byte(name)))
	return strings.TrimRight(safe[:maxName-len(sum)], "-") + sum
}
