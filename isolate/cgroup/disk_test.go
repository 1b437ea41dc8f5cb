package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The test binary is its own reader: started with this variable it reads
// "file length flags" instead of testing.
const readerEnv = "CGROUP_TEST_READER"

func TestMain(m *testing.M) {
	if job := os.Getenv(readerEnv); job != "" {
		if err := readFile(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// readFile reads a file once its standard input ends.
func readFile(job string) error {
	var path string
	var length int64
	var flags int
	if _, err := fmt.Sscan(job, &path, &length, &flags); err != nil {
		return err
	}
	os.Stdin.Read(make([]byte, 1))
	fd, err := unix.Open(path, unix.O_RDONLY|flags, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	buf := aligned(64 << 10)
	for at := int64(0); at < length; at += int64(len(buf)) {
		if _, err := unix.Pread(fd, buf, at); err != nil {
			return err
		}
	}
	return nil
}

// aligned gives memory that a direct read takes.
func aligned(size int) []byte {
	const page = 4096
	b := make([]byte, size+page)
	skip := page - int(uintptr(unsafe.Pointer(&b[0]))%page)
	return b[skip : skip+size]
}

// onDisk makes a file of this length on a disk of the host, of which the kernel
// keeps nothing in memory: whoever reads it next reads the disk.
func onDisk(t testing.TB, length int64) string {
	t.Helper()
	for _, dir := range []string{os.TempDir(), "/var/tmp", "."} {
		var st unix.Stat_t
		if err := unix.Stat(dir, &st); err != nil || unix.Major(st.Dev) == 0 {
			continue // a file system without a disk
		}
		f, err := os.CreateTemp(dir, "cgroup-test-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(f.Name()) })
		defer f.Close()
		_, err = f.Write(make([]byte, length))
		if err = errors.Join(err, f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)); err != nil {
			t.Fatal(err)
		}
		return f.Name()
	}
	t.Skip("needs a directory on a disk, in $TMPDIR, /var/tmp or here")
	return ""
}

// readIn starts a process in the group that reads a file; done gets its end.
func readIn(t testing.TB, g *Group, path string, length int64, flags int) (done chan error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), readerEnv+"="+fmt.Sprintln(path, length, flags))
	cmd.Stderr = os.Stderr
	start, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Inside(cmd.Start); err != nil {
		t.Fatal(err)
	}
	done = make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		done <- cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	if err := g.Add(cmd.Process.Pid, ""); err != nil {
		t.Fatal(err)
	}
	start.Close() // go: all its hierarchies are joined
	return done
}

// read reads a file from inside the group to its end.
func read(t testing.TB, g *Group, path string, length int64, flags int) {
	t.Helper()
	if err := <-readIn(t, g, path, length, flags); err != nil {
		t.Fatal(err)
	}
}

// Two readers of the same size: the one with a rate is still at it when the
// other has long ended, and ends as soon as its rate is taken away.
func TestDiskRateHoldsBackUntilItIsLifted(t *testing.T) {
	p := place(t)
	const length = 16 << 20 // four minutes at the rate below
	file := onDisk(t, length)
	slow := create(t, p, "slow", Limits{IORate: 64 << 10})
	got, err := slow.Limits()
	if err != nil || got.IORate != 64<<10 {
		t.Fatalf("rate %d %v, want %d", got.IORate, err, 64<<10)
	}
	free := create(t, p, "free", Limits{})
	held := readIn(t, slow, file, length, unix.O_DIRECT)
	read(t, free, file, length, unix.O_DIRECT)
	select {
	case err := <-held:
		t.Fatalf("not held back: ended with %v", err)
	default:
	}
	setLimits(t, slow, Limits{})
	if got, err := slow.Limits(); err != nil || got.IORate != 0 {
		t.Errorf("rate %d %v after it was taken away", got.IORate, err)
	}
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// A group above its soft limit gives back what it can. Version 1 does so only
// when the whole host is short, which a test must not make it.
func TestSoftLimitTakesBack(t *testing.T) {
	p := place(t)
	if p.Mode() != Unified {
		t.Skip("needs version 2: version 1 reclaims only on a host short of memory")
	}
	const length, soft = 48 << 20, 16 << 20
	for name, l := range map[string]Limits{"without": {}, "with": {MemorySoft: soft}} {
		file := onDisk(t, length)
		g := create(t, p, name, l)
		read(t, g, file, length, 0)
		s := sample(t, g)
		if l.MemorySoft == 0 && (s.Memory < length || s.Reclaimed > 0) {
			t.Errorf("without a soft limit: %+v, want all %d bytes kept", s, length)
		}
		if l.MemorySoft > 0 && (s.Memory > 2*soft || s.Reclaimed == 0) {
			t.Errorf("with a soft limit of %d: %+v", soft, s)
		}
	}
}
