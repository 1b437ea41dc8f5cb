package compile

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	rx  = unix.PROT_READ | unix.PROT_EXEC
	rw  = unix.PROT_READ | unix.PROT_WRITE
	rwx = rx | unix.PROT_WRITE

	anonymous = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
)

// attempts are the ways from data to code, for a process that has what a native
// program has: a directory to write to that is mounted noexec. Without the
// filter, and without MDWE, all but the first go. Those that go with it are what
// the filter leaves to other locks.
var attempts = []struct {
	name          string
	make          func(noexec, plain string) error
	without, with error
}{
	{"map a written file of a noexec mount", func(noexec, _ string) error { return mapFile(noexec, rx) }, unix.EPERM, unix.EPERM},
	{"map anonymous memory", func(string, string) error { return mapAnonymous(rx, anonymous) }, nil, unix.EPERM},
	{"map shared anonymous memory", func(string, string) error { return mapAnonymous(rx, unix.MAP_SHARED|unix.MAP_ANONYMOUS) }, nil, unix.EPERM},
	{"map memory to write and execute", func(string, string) error { return mapAnonymous(rwx, anonymous) }, nil, unix.EPERM},
	{"map a file to write and execute", func(string, string) error { return mapFile("/proc/self/exe", rwx) }, nil, unix.EPERM},
	{"protect written memory", func(string, string) error { return protect(unix.SYS_MPROTECT, rx) }, nil, unix.EPERM},
	{"protect written memory, all rights", func(string, string) error { return protect(unix.SYS_MPROTECT, rwx) }, nil, unix.EPERM},
	{"protect written memory with a key", func(string, string) error { return protect(unix.SYS_PKEY_MPROTECT, rx) }, nil, unix.EPERM},
	{"execute what can be read", func(string, string) error { return personality(0x0400000) }, nil, unix.EPERM},
	{"map a memory file", func(string, string) error { return mapMemfd() }, nil, unix.EPERM},
	{"attach System V memory", func(string, string) error { return attach() }, nil, unix.EPERM},
	{"write another's code, here its own", func(string, string) error { return processWrite() }, unix.EFAULT, unix.EPERM},

	// What remains. The mounts see to the first, Landlock to the second: it lets
	// nobody write below /proc.
	{"map a written file of a plain mount", func(_, plain string) error { return mapFile(plain, rx) }, nil, nil},
	{"write its own code as a file", func(string, string) error { return writeMem() }, nil, nil},
}

// The table stands in for MDWE where the kernel does not have it.
func TestNoDataBecomesCode(t *testing.T) {
	var without, with strings.Builder
	for _, a := range attempts {
		fmt.Fprintf(&without, "%s: %v\n", a.name, a.without)
		fmt.Fprintf(&with, "%s: %v\n", a.name, a.with)
	}
	if got := output(t, helper(t, "code", nil, t.TempDir())); got != without.String() {
		t.Errorf("without the filter:\n%s\nwant:\n%s", got, without.String())
	}
	if got := output(t, helper(t, "code", nativeStack(t, false), t.TempDir())); got != with.String() {
		t.Errorf("with the filter:\n%s\nwant:\n%s", got, with.String())
	}
}

// What remains besides: a program's own executables can ask for an executable
// stack, and the kernel gives it to them at execve, which neither a filter nor
// MDWE has a say in. What cannot be executed unless the package brought it
// cannot ask either.
func TestExecutableStackIsAskedForByTheFile(t *testing.T) {
	plain := buildWork(t)
	asking := filepath.Join(t.TempDir(), "asking")
	setStack(t, plain, asking, elf.PF_R|elf.PF_W|elf.PF_X)
	for file, want := range map[string]string{plain: "rw-p", asking: "rwxp"} {
		out := output(t, helper(t, "exec", nativeStack(t, false), file, "stack"))
		if strings.TrimSpace(out) != want {
			t.Errorf("the stack of %s is %s, want %s", filepath.Base(file), out, want)
		}
	}
}

// setStack copies a program and has it ask for a stack with the flags.
func setStack(t *testing.T, from, to string, flags elf.ProgFlag) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	const headers, headerSize, flagsAt = 64, 56, 4 // of a 64-bit file
	for at := headers; at+headerSize < len(b); at += headerSize {
		if elf.ProgType(binary.NativeEndian.Uint32(b[at:])) == elf.PT_GNU_STACK {
			binary.NativeEndian.PutUint32(b[at+flagsAt:], uint32(flags))
			if err := os.WriteFile(to, b, 0o755); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("the program says nothing of its stack")
}

// buildWork builds the program of testdata/work, pure Go and static.
func buildWork(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "work")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", file, "./testdata/work")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build testdata/work: %v\n%s", err, out)
	}
	return file
}

// makeCode makes the attempts, in a mount namespace of its own.
func makeCode(args []string) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		fail(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fail(err)
	}
	noexec, plain := written(args[0], "noexec", unix.MS_NOEXEC), written(args[0], "plain", 0)
	takeFilters()
	for _, a := range attempts {
		fmt.Printf("%s: %v\n", a.name, a.make(noexec, plain))
	}
}

// written mounts a tmpfs, and gives a file that was written there.
func written(dir, name string, flags uintptr) string {
	dir = filepath.Join(dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		fail(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, ""); err != nil {
		fail(err)
	}
	file := filepath.Join(dir, "code")
	if err := os.WriteFile(file, make([]byte, os.Getpagesize()), 0o700); err != nil {
		fail(err)
	}
	return file
}

// The ways. Each undoes nothing: the process ends soon.

func mapAnonymous(prot, flags int) error {
	_, err := unix.Mmap(-1, 0, os.Getpagesize(), prot, flags)
	return err
}

func mapFile(name string, prot int) error {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Mmap(fd, 0, os.Getpagesize(), prot, unix.MAP_PRIVATE)
	return err
}

func mapMemfd() error {
	fd, err := unix.MemfdCreate("code", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	unix.Write(fd, make([]byte, os.Getpagesize()))
	_, err = unix.Mmap(fd, 0, os.Getpagesize(), rx, unix.MAP_PRIVATE)
	return err
}

// protect writes a page and makes it executable. Protection key 0 is there
// without a processor that has keys, but not without a kernel that does: -1 is.
func protect(nr uintptr, prot uintptr) error {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), rw, anonymous)
	if err != nil {
		return err
	}
	page[0] = 1
	const noKey = ^uintptr(0)
	_, _, errno := unix.Syscall6(nr, uintptr(unsafe.Pointer(&page[0])), uintptr(len(page)), prot, noKey, 0, 0)
	return orNil(errno)
}

func personality(persona uintptr) error {
	_, _, errno := unix.Syscall(unix.SYS_PERSONALITY, persona, 0, 0)
	return orNil(errno)
}

func attach() error {
	const private, exec = 0, 0x8000 // IPC_PRIVATE, SHM_EXEC
	id, err := unix.SysvShmGet(private, os.Getpagesize(), 0o700)
	if err != nil {
		return err
	}
	_, err = unix.SysvShmAttach(id, 0, exec)
	unix.SysvShmCtl(id, unix.IPC_RMID, nil)
	return err
}

// processWrite reaches its own memory as it would another's. The kernel does
// not write pages that are read-only, so that EFAULT means it was asked.
func processWrite() error {
	code, err := codePage()
	if err != nil {
		return err
	}
	local := []unix.Iovec{{Base: &make([]byte, 1)[0], Len: 1}}
	_, err = unix.ProcessVMWritev(os.Getpid(), local, []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&code[0])), Len: 1}}, 0)
	return err
}

func writeMem() error {
	code, err := codePage()
	if err != nil {
		return err
	}
	fd, err := unix.Open("/proc/self/mem", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Pwrite(fd, []byte{1}, int64(uintptr(unsafe.Pointer(&code[0]))))
	return err
}

// codePage is a page of this program's own file, as code is mapped.
func codePage() ([]byte, error) {
	fd, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, os.Getpagesize(), rx, unix.MAP_PRIVATE)
}

func orNil(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
