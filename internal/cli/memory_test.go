package cli

import "testing"

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"8GiB": 8 << 30, "512MiB": 512 << 20, "8G": 8 << 30, "8GB": 8e9, "1.5 GiB": 3 << 29,
		"100": 100, "100B": 100, "64KiB": 64 << 10, "2T": 2 << 40, "2kB": 0, "": 0, "GiB": 0, "-1G": 0, "0": 0, "1e9": 0, "99999999999T": 0,
	} {
		var got int64
		err := parseBytes(&got)(text)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
}

// The limit is what the person says, else the machine's or the engine's, less a part.
func TestMemoryLimit(t *testing.T) {
	env := map[string]string{}
	a := &app{Env: Env{Getenv: func(name string) string { return env[name] }}}
	f := new(jobFlags)
	before := a.memoryLimit(f)
	env["SLURM_MEM_PER_NODE"] = "100"
	if l := a.memoryLimit(f); l.from != "SLURM_MEM_PER_NODE" || l.bytes != 100<<20-10<<20 {
		t.Errorf("with Slurm's 100 MiB: %+v (%+v without)", l, before)
	}
	f.maxMem = 1 << 30
	if l := a.memoryLimit(f); l.from != "--max-mem" || l.bytes != 1<<30 {
		t.Errorf("with --max-mem: %+v", l)
	}
}
