package isolate

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

// Whatever a program's directory has by the names of our mount points, they are
// directories of ours.
func TestHostileRoots(t *testing.T) {
	link := func(name, target string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, spoil := range map[string]func(t *testing.T, dir string){
		"dev is a link out":       link("dev", "/etc"),
		"dev is a link up":        link("dev", "../../../../dev"),
		"proc is a link out":      link("proc", "/proc"),
		"proc is a link to tmp":   link("proc", "tmp"),
		"tmp is a link out":       link("tmp", "/tmp"),
		"tmp is a loop":           link("tmp", "tmp"),
		"etc is a link to proc":   link("etc", "/proc/self"),
		"nothing but a directory": func(t *testing.T, dir string) {},
		"only for its owner": func(t *testing.T, dir string) {
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"proc is a file": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "proc"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"dev is full": func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "dev", "null"), 0o777); err != nil {
				t.Fatal(err)
			}
		},
		"proc has what is masked": func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "proc", "keys"), 0o777); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			l, dir := openNative(t), root(t)
			spoil(t, dir)
			before := tree(t, dir)
			sane(t, l, dir)
			if after := tree(t, dir); !slices.Equal(before, after) {
				t.Errorf("the directory was %q and is %q", before, after)
			}
		})
	}
}

// sane finds the mounts where they belong, and nothing more.
func sane(t *testing.T, l *Launcher, dir string) {
	t.Helper()
	got := shell(t, l, dir, "echo x > /dev/null && echo x > /tmp/x && test -d /proc/self && ls /dev | wc -l && mount")
	first, rest, _ := strings.Cut(got, "\n")
	if first != "10" {
		t.Errorf("/dev has %q names", first)
	}
	if mounts := mountsIn(t, rest); !slices.Equal(mounts, mountsWanted) {
		t.Errorf("mounted: %q", mounts)
	}
}

// tree lists a directory and what is below it.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(name, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Somebody exchanges our mount points for links out while workers start.
func TestRenamerInTheRoot(t *testing.T) {
	l, dir := openNative(t), root(t)
	var pairs [][2]string
	for _, name := range []string{"dev", "proc", "tmp"} {
		there, aside := filepath.Join(dir, name), filepath.Join(dir, name+"-aside")
		if err := errors.Join(os.Mkdir(there, 0o777), os.Symlink("/etc", aside)); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, [2]string{there, aside})
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	exchanges := 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, p := range pairs {
				if err := unix.Renameat2(unix.AT_FDCWD, p[0], unix.AT_FDCWD, p[1], unix.RENAME_EXCHANGE); err != nil {
					t.Errorf("cannot exchange: %v", err)
					return
				}
			}
			exchanges++
		}
	})
	for range 6 {
		sane(t, l, dir)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d exchanges", exchanges)
}

// The name of a directory is no part of a mount's options.
func TestRootOfAStrangeName(t *testing.T) {
	l, dir := openNative(t), root(t)
	for _, name := range []string{"a:b", "a,upperdir=b", `a\:b`, "a\nb c\t\"'%s", " ", strings.Repeat("é", 100)} {
		strange := filepath.Join(filepath.Dir(dir), name)
		if err := os.Rename(dir, strange); err != nil {
			t.Fatal(err)
		}
		if got := shell(t, l, strange, "echo inside"); got != "inside" {
			t.Errorf("%q: %q", name, got)
		}
		if err := os.Rename(strange, dir); err != nil {
			t.Fatal(err)
		}
	}
}

// On a host that lacks what native programs need, others start, and a native
// one is refused by the lock's name.
func TestHostThatCannotHaveNatives(t *testing.T) {
	l := openNative(t)
	l.unfit = errors.New("cannot make device null")
	s := nativeSpec(t, root(t), nil, "/bin/true")
	s.ID, s.Stderr = "a", os.Stderr
	_, err := l.Start(s)
	if missing, ok := errors.AsType[*lock.MissingError](err); !ok || missing.Name != lock.ReadOnlyRoot {
		t.Errorf("%v, want %q missing", err, lock.ReadOnlyRoot)
	}
}
