package script

import (
	"fmt"
	"path"
	"strings"
	"time"
)

const (
	// dataMount is where a container finds images, if nothing is said.
	dataMount = "/data"
	// editImage stands for an image until it is edited; the scripts refuse it.
	editImage = "EDIT-IMAGE"
	// podRetries make a few hours: Kubernetes doubles the time between two tries
	// from 10 s to several minutes.
	podRetries = 30
	// user is not root.
	user = 1000
)

// A pod is work for one container.
type pod struct {
	*view
	Task    string   // create, shares, status or verify
	Command []string // what it runs
	Limit   time.Duration
}

// Mount is where the container works.
func (p *pod) Mount() string { return mount(p.Dir) }

func (p *pod) User() int    { return user }
func (p *pod) Retries() int { return podRetries }

// Seconds are the most that the command may take; 0 is not said.
func (p *pod) Seconds() int64 { return int64((p.Limit + time.Second - 1) / time.Second) }

// Image is a name in any case.
func (p *pod) Image() string {
	if p.Work.Image == "" {
		return editImage
	}
	return p.Work.Image
}

func mount(dir string) string {
	if dir == "" {
		return dataMount
	}
	return path.Clean(dir)
}

// home is where the access to BOSS is in a pod.
const home = "/home/ndpush"

// checkMount is about directories that a container cannot mount anything over.
func checkMount(dir string) error {
	m := mount(dir)
	bad := !strings.HasPrefix(m, "/") || strings.ContainsAny(m, ":\n\r")
	for _, taken := range []string{"/bin", "/dev", "/etc", "/proc", "/sys", home} {
		bad = bad || within(m, taken) || within(taken, m)
	}
	if bad {
		return fmt.Errorf("a container cannot work in the directory %q", dir)
	}
	return nil
}

// within reports whether a clean path is dir or below it.
func within(path, dir string) bool {
	return strings.HasPrefix(path+"/", strings.TrimSuffix(dir, "/")+"/")
}

// writeKubernetes makes an Indexed Job of the shares, a Job of each of the other
// commands, and a script that applies them: Kubernetes knows no order of jobs.
func writeKubernetes(v *view) ([]File, error) {
	if err := checkMount(v.Dir); err != nil {
		return nil, err
	}
	files, err := render(v.Job, &pod{view: v}, [2]string{".sh", "kubernetes.sh"})
	if err != nil {
		return nil, err
	}
	for _, p := range []*pod{
		{v, "create", v.Create, 0},
		{v, "shares", v.Share, v.Time},
		{v, "status", v.Status, 0},
		{v, "verify", v.Verify, v.VerifyTime},
	} {
		if p.Command == nil {
			continue
		}
		f, err := render(v.Job, p, [2]string{"-" + p.Task + ".yaml", "kubernetes.yaml"})
		if err != nil {
			return nil, err
		}
		f[0].Mode = 0o644
		files = append(files, f...)
	}
	docker, err := dockerfile(&pod{view: v})
	return append(files, docker), err
}

// dockerfile says how the image is built.
func dockerfile(p *pod) (File, error) {
	files, err := render("", p, [2]string{"Dockerfile", "Dockerfile"})
	if err != nil {
		return File{}, err
	}
	files[0].Mode = 0o644
	return files[0], nil
}

// DockerMount is the mount as a word of a Dockerfile, where a dollar sign opens
// a variable.
func (p *pod) DockerMount() string {
	if m := p.Mount(); !plain.MatchString(m) {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(m) + `"`
	}
	return p.Mount()
}
