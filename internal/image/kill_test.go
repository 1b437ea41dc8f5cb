package image

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The writer hibernates programs, takes and drops some, and tells of each step
// that it was told is done.
const writerVariable = "IMAGE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerVariable); dir != "" {
		write(dir)
		return
	}
	os.Exit(m.Run())
}

func write(dir string) {
	s, lost, err := Open(dir, testOptions)
	if err != nil || lost != nil {
		fmt.Println("failed", err, lost)
		return
	}
	pack, err := NewMemory("package")
	for n := 0; err == nil; n++ {
		in := instance(fmt.Sprintf("p%d-%d", os.Getpid(), n))
		image := strings.Repeat(string(in.ID), 1000)
		var d *Draft
		if d, err = s.Prepare(in, pack, int64(len(image))); err != nil {
			break
		}
		if _, err = d.Keep(strings.NewReader(image), int64(len(image)), []byte(in.ID)); err != nil {
			break
		}
		fmt.Println("kept", in.ID)
		if n%3 == 0 {
			continue
		}
		fmt.Println("taking", in.ID)
		f, _, e := s.Take(in.ID, "build")
		if err = e; err != nil {
			break
		}
		f.Close()
		fmt.Println("took", in.ID)
		if n%3 == 2 {
			err = s.Drop(in.ID)
			fmt.Println("dropped", in.ID)
		}
	}
	fmt.Println("failed", err)
}

// life is how far a program came, as its writer told.
type life struct{ kept, taking, took, dropped bool }

// killed runs a writer and ends it by SIGKILL a while after its first word.
func killed(t *testing.T, dir string, after time.Duration, lives map[string]*life) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writerVariable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	for lines := bufio.NewScanner(out); lines.Scan(); {
		once.Do(func() { time.AfterFunc(after, func() { cmd.Process.Kill() }) })
		what, id, _ := strings.Cut(lines.Text(), " ")
		l := lives[id]
		if l == nil {
			l = &life{}
			lives[id] = l
		}
		switch what {
		case "kept":
			l.kept = true
		case "taking":
			l.taking = true
		case "took":
			l.took = true
		case "dropped":
			l.dropped = true
		default:
			t.Errorf("the writer: %s", lines.Text())
		}
	}
	cmd.Wait()
}

// However a supervisor ends, what it acknowledged is there, what it used up is
// not to be had again, and nothing else is left.
func TestKilledWriter(t *testing.T) {
	dir := privateDir(t)
	lives := map[string]*life{}
	for n := range 30 {
		killed(t, dir, time.Duration(n*n)*100*time.Microsecond, lives)
	}
	s := openStore(t, dir)
	there := map[string]Instance{}
	for _, in := range s.Instances() {
		there[string(in.ID)] = in
	}
	for id, l := range lives {
		in, is := there[id]
		switch {
		case l.kept && !l.dropped && !is && !(l.took && mayDrop(id)):
			t.Errorf("%s was acknowledged and is gone: %+v", id, *l)
		case l.dropped && is:
			t.Errorf("%s was dropped and is there", id)
		case l.kept && !l.taking && in.Image == 0:
			t.Errorf("%s was acknowledged and has no image", id)
		case l.took && in.Image != 0:
			t.Errorf("%s was used up and has an image", id)
		}
	}
	checkAll(t, s, there)
}

// mayDrop reports whether the writer goes on to drop the program: it can be gone
// before that was told.
func mayDrop(id string) bool {
	var pid, n int
	fmt.Sscanf(id, "p%d-%d", &pid, &n)
	return n%3 == 2
}

// checkAll takes every program that is there.
func checkAll(t *testing.T, s *Store, there map[string]Instance) {
	t.Helper()
	for id, in := range there {
		f, state, err := s.Take(in.ID, "build")
		if string(state) != id {
			t.Errorf("%s saved %q", id, state)
		}
		if in.Image == 0 {
			if !isUnusable(err, "used before") {
				t.Errorf("%s, which was used: %v", id, err)
			}
			continue
		}
		if err != nil || content(t, f) != strings.Repeat(id, 1000) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A crash between the registry and its counter may come again and again.
func TestCounterBehind(t *testing.T) {
	dir := privateDir(t)
	counter := filepath.Join(dir, counterName)
	s := openStore(t, dir)
	keep(t, s, instance("a"), "image", "")
	for n := range 3 {
		before, err := os.ReadFile(counter)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, s, instance(fmt.Sprintf("b%d", n)), "image", "")
		s.Close()
		if err := os.WriteFile(counter, before, 0o600); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir)
	}
	if all := s.Instances(); len(all) != 4 {
		t.Errorf("%d programs are left", len(all))
	}
}
