package roots

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
)

const manifest = `{"app_id":"com.example.native","name":"Test","icons":[{"src":"icon.png"}],"pages":["pages/index"],
"platform_version":{"min_code":1},"version":{"name":"1.0","code":1},
"mpsupervisor":{"runtime":"native","entry":"root/bin/run"}}`

// native makes a checked package of a native program.
func native(t *testing.T) *bundle.Package {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "root/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"manifest.json": manifest, "root/bin/run": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f, err := bundle.Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	p, err := bundle.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func mustTake(t *testing.T, run string) *Dir {
	t.Helper()
	d, err := Take(run, os.Getuid(), os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func TestOpen(t *testing.T) {
	run := t.TempDir()
	d := mustTake(t, run)
	p := native(t)
	var inode uint64
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 8 {
		wg.Go(func() {
			f, err := d.Open(p)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			var st unix.Stat_t
			if err := unix.Fstatat(int(f.Fd()), "bin/run", &st, 0); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if inode != 0 && st.Ino != inode {
				t.Error("it was extracted more than once")
			}
			inode = st.Ino
		})
	}
	wg.Wait()
	mine := filepath.Join(run, "roots/0")
	if names := entries(t, mine); len(names) != 1 {
		t.Errorf("extracted %v", names)
	}
	info, err := os.Stat(filepath.Join(mine, nameOf(p.Digest)))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program's root: %v, %v", info, err)
	}
	if err := d.Remove(p.Digest); err != nil || len(entries(t, mine)) != 0 {
		t.Errorf("removed: %v, left %v", err, entries(t, mine))
	}
	if err := d.Remove(p.Digest); err != nil {
		t.Errorf("removed again: %v", err)
	}
	f, err := d.Open(p)
	if err != nil {
		t.Fatalf("opened again: %v", err)
	}
	f.Close()
	if err := d.Close(); err != nil || len(entries(t, mine)) != 0 {
		t.Errorf("closed: %v, left %v", err, entries(t, mine))
	}
}

// A package whose extraction fails leaves nothing, and can be tried again.
func TestOpenFails(t *testing.T) {
	run := t.TempDir()
	d := mustTake(t, run)
	defer d.Close()
	p := native(t)
	p.Close() // its file cannot be read any more
	for range 2 {
		if _, err := d.Open(p); err == nil || !strings.Contains(err.Error(), "root directory") {
			t.Errorf("error %v", err)
		}
		if names := entries(t, filepath.Join(run, "roots/0")); len(names) != 0 {
			t.Errorf("left %v", names)
		}
	}
}

// What a dead supervisor left goes at the next Take, what a living one has stays.
func TestSweep(t *testing.T) {
	run := t.TempDir()
	first, second := mustTake(t, run), mustTake(t, run)
	for _, d := range []*Dir{first, second} {
		f, err := d.Open(native(t))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	outside := filepath.Join(run, "outside")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../..", filepath.Join(run, "roots/0/link")); err != nil {
		t.Fatal(err)
	}
	first.lock.Close() // as the kernel does when a process dies
	first.top.Close()
	third := mustTake(t, run)
	if names := entries(t, filepath.Join(run, "roots/0")); len(names) != 0 {
		t.Errorf("the dead one left %v", names)
	}
	if names := entries(t, filepath.Join(run, "roots/1")); len(names) != 1 {
		t.Errorf("the living one has %v", names)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("a link was followed: %v", err)
	}
	third.Close()
	second.Close()
}

func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: gives the directory to another user")
	}
	run := t.TempDir()
	d, err := Take(run, 12345, 12346)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(run, "roots/0"), &st); err != nil {
		t.Fatal(err)
	}
	if st.Uid != 12345 || st.Gid != 12346 || st.Mode&0o7777 != 0o700 {
		t.Errorf("it belongs to %d:%d with mode %o", st.Uid, st.Gid, st.Mode)
	}
}

func TestAllTaken(t *testing.T) {
	run := t.TempDir()
	for range Count {
		defer mustTake(t, run).Close()
	}
	if _, err := Take(run, os.Getuid(), os.Getgid()); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("error %v", err)
	}
}
