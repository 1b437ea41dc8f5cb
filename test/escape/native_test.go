package escape

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/isolate"
	"github.com/mpsupervisor/mpsupervisor/isolate/cgroup"
	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/mpsupervisor/mpsupervisor/seccomp"
	"github.com/mpsupervisor/mpsupervisor/seccomp/compile"
	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

// What a native probe may use.
var (
	nativeLimits = cgroup.Limits{Memory: 64 << 20, Pids: 32, CPU: 1}
	nativeShare  = isolate.Native{TmpBytes: 8 << 20, TmpFiles: 64, Files: 128}
)

// native starts the probe in the place of a native program's worker: the
// attackers that it starts are the program.
func native(t *testing.T, sp spec, without []lock.Name) { startNative(t, sp, nativeShare, without) }

func startNative(t *testing.T, sp spec, share isolate.Native, without []lock.Name) *isolate.Worker {
	t.Helper()
	root, err := os.Open(nativeRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	share.Root = root
	slot := started.Add(1)
	w, err := workers.Start(isolate.Spec{
		ID: fmt.Sprintf("probe-%d", slot), Slot: slot, Stderr: sp.stderr, Limits: nativeLimits,
		Env: []string{"ESCAPE=native"}, Native: &share,
		Files:   []*os.File{sp.files[0], sp.files[1], memory(t, nativeFilters(t)), memory(t, nil), ptySlave(t)},
		Without: launchersOwn(without),
	})
	if err != nil {
		t.Fatal(err)
	}
	endAfter(t, w)
	return w
}

// launchersOwn are those of the locks that the launcher can leave out.
func launchersOwn(without []lock.Name) []lock.Name {
	own := map[lock.Name]bool{lock.Capabilities: true, lock.Securebits: true, lock.ReadOnlyRoot: true}
	return slices.DeleteFunc(slices.Clone(without), func(n lock.Name) bool { return !omissible[n] && !own[n] })
}

// nativeFilters are the filters of a native program, as the launcher has them.
func nativeFilters(t *testing.T) []byte {
	stack, err := compile.Stack(seccomp.RoleNative, nil)
	if err != nil {
		t.Fatal(err)
	}
	return stack.Marshal()
}

// nativeRoot makes a root directory with the probe, and a file that anybody may
// write to.
func nativeRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	copyTo(t, filepath.Join(root, "probe"))
	victim := filepath.Join(root, "victim")
	if err := os.WriteFile(victim, []byte("whole"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(victim, 0o666); err != nil {
		t.Fatal(err)
	}
	return root
}

// ptySlave is a terminal of nobody's.
func ptySlave(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	slave, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave
}

// abstract listens in the host's network namespace under a name of no file.
func abstract(t *testing.T) string {
	name := fmt.Sprintf("@mpsupervisor-escape-%d", os.Getpid())
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return name
}

func on(name, text string, args ...uint64) attack.Request {
	return attack.Request{Attack: name, Text: text, Args: args}
}

// namespaces are the flags of clone(2) that make one, by name. All but the
// first take a user namespace with them, or a capability.
var namespaceFlags = map[string]uint64{
	"user": unix.CLONE_NEWUSER, "mount": unix.CLONE_NEWNS, "pid": unix.CLONE_NEWPID, "network": unix.CLONE_NEWNET,
	"ipc": unix.CLONE_NEWIPC, "uts": unix.CLONE_NEWUTS, "cgroup": unix.CLONE_NEWCGROUP,
}

// privileged starts a native probe with every capability, which takes the
// securebits away, too.
func privileged(t *testing.T, sp spec, without []lock.Name) {
	startNative(t, sp, nativeShare, append([]lock.Name{lock.Securebits}, without...))
}

// Ioctl requests are 32 bits to the kernel: what is above them must not get one
// past the filter.
const highBits = 1 << 32

// nativeRows are the attacks of native programs.
func nativeRows(t *testing.T) []row {
	privilege := append([]lock.Name{lock.Securebits}, filterAndLL...)
	refused := func(what string, r attack.Request, open, needs string) row {
		return row{"native: " + what, lock.Seccomp, r, nil, "EPERM", "EPERM", open, needs, nil}
	}
	rows := []row{
		{"native: write to a file of its root", lock.ReadOnlyRoot, on(attack.Write, "/victim"), filterAndLL, "EROFS", "EROFS", "done", "", nil},
		{"native: write to its own code by /proc/self/mem", lock.ReadOnlyRoot, opening("/proc/self/mem", unix.O_RDWR), []lock.Name{lock.Dumpable, lock.Landlock}, "EROFS", "EROFS", "done", "", nil},
		{"native: execute a file that it made in /tmp", lock.ReadOnlyRoot, on(attack.RunTmp, ""), ll, "EACCES", "EACCES", asUser(1, "no capability"), "", nil},
		{"native: map such a file to execute", lock.ReadOnlyRoot, on(attack.MapTmp, ""), ll, "EPERM", "EPERM", "done", "", nil},
		{"native: find descriptors that were not meant for it", lock.Descriptors, simple(attack.Leaks), nil, "done: []", "done: []", "done: [4 5 6 8]", "", nil},
		{"native: mount a file system", lock.Capabilities, on(attack.Mount, "/tmp"), privilege, "EPERM", "EPERM", "done", "", privileged},
		{"native: join a namespace", lock.Capabilities, on(attack.Join, "/proc/self/ns/uts"), privilege, "EPERM", "EPERM", "done", "", privileged},
		{"native: make a process by clone3", lock.Seccomp, simple(attack.Clone3), nil, "ENOSYS", "ENOSYS", "done", "", nil},
		refused("execute a file in memory", simple(attack.RunMemory), asUser(1, "no capability"), ""),
		refused("attach shared memory to execute", simple(attack.MapShm), "done", ""),
		refused("turn address randomisation off", rawCall(unix.SYS_PERSONALITY, 0x0040000), "done", ""),
		refused("type into its terminal (TIOCSTI)", on(attack.Push, "", unix.TIOCSTI), "done", ""),
		refused("the same, with a bit above the request's 32", on(attack.Push, "", unix.TIOCSTI|highBits), "done", ""),
		refused("make a socket to the hypervisor", rawCall(unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM), "done", "vsock"),
		refused("make a socket of the kernel's cryptography", rawCall(unix.SYS_SOCKET, unix.AF_ALG, unix.SOCK_SEQPACKET), "done", "af_alg"),
		refused("make a socket to the kernel's tables", rawCall(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW), "done", ""),
		{"native: make a socket of bare frames", lock.Capabilities, rawCall(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW), privilege, "EPERM", "EPERM", "done", "", privileged},
		{"native: trace process 1", lock.Seccomp, rawCall(unix.SYS_PTRACE, unix.PTRACE_SEIZE, 1), ll, "EPERM", "EPERM", "done", "", nil},
		{"native: take a descriptor of process 1", lock.Seccomp, on(attack.TakeFD, "", 3), ll, "EPERM", "EPERM", "done", "", nil},
		{"native: compare descriptors of process 1", lock.Seccomp, rawCall(unix.SYS_KCMP, 1, 1), ll, "EPERM", "EPERM", "done", "", nil},
		refused("make a ring of requests (io_uring)", rawCall(unix.SYS_IO_URING_SETUP, 1), "EFAULT", ""),
		refused("handle its own page faults", rawCall(unix.SYS_USERFAULTFD, 1), "done", ""),
		refused("look for its keyring", rawCall(unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, minus(3), 1), "done", ""),
		refused("watch a file system", rawCall(unix.SYS_FANOTIFY_INIT, unix.FAN_REPORT_FID), "done", ""),
		refused("count events of the processor", rawCall(unix.SYS_PERF_EVENT_OPEN), "EFAULT", ""),
		refused("map its pages into a pipe", rawCall(unix.SYS_VMSPLICE, 999), "EBADF", ""),
		refused("use the console's terminal (TIOCLINUX), with a high bit", on(attack.Push, "", unix.TIOCLINUX|highBits), "ENOTTY", ""),
		refused("make a socket of the network", rawCall(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM), "done", ""),
		{"native: map memory to write and execute", lock.MDWE, simple(attack.MapExec), filter, "EPERM", "EACCES", "done", string(lock.MDWE), nil},
		{"native: make written memory executable", lock.MDWE, simple(attack.TurnExec), filter, "EPERM", "EACCES", "done", string(lock.MDWE), nil},
		{"native: make written memory executable, without MDWE", lock.Seccomp, simple(attack.TurnExec), []lock.Name{lock.MDWE}, "EPERM", "EPERM", "done", "", nil},
		{"native: connect to an abstract socket of the host", lock.NetworkNamespace, on(attack.Meet, abstract(t)), filterAndLL, "ECONNREFUSED", "ECONNREFUSED", "done", "", nil},
		{"native: open 200 descriptors, with a limit of 128", lock.Rlimits, on(attack.Hoard, "", 200), nil, "EMFILE", "EMFILE", "done", "", nil},
		{"native: read the memory of another process of the same user", lock.Dumpable, simple(attack.SpyOnKin), filterAndLL, "EPERM", "EPERM", "done", "", nil},
		{"native: make 64 processes, with a limit of 32 tasks", lock.PidsLimit, on(attack.Breed, "", 64), nil, "EAGAIN", "EAGAIN", "done", "", nil},
	}
	for _, kind := range []string{"user", "mount", "pid", "network", "ipc", "uts", "cgroup"} {
		rows = append(rows, refused("start a process in a new "+kind+" namespace",
			on(attack.Spawn, "", namespaceFlags[kind]|unix.CLONE_NEWUSER), "done", ""))
	}
	return rows
}

// minus is a negative number as a register holds it.
func minus(n int64) uint64 { return uint64(-n) }

// Whoever gets hold of the program that starts workers, which is root's, cannot
// write to it: it is a sealed copy. The control is a copy without the seals.
func TestLauncherIsSealed(t *testing.T) {
	if _, err := os.OpenFile("/proc/self/exe", os.O_RDWR, 0); !errors.Is(err, unix.ETXTBSY) {
		t.Errorf("opening the running program to write gives %v", err)
	}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	const want = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if seals, err := unix.FcntlInt(self.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&want != want {
		t.Errorf("its seals are %#x, %v", seals, err)
	}
	fd, err := unix.MemfdCreate("control", unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte("x")); err != nil {
		t.Errorf("a copy without seals cannot be written to: %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, want); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, []byte("x")); err != unix.EPERM {
		t.Errorf("writing to a sealed one gives %v", err)
	}
}

func TestNativeLocks(t *testing.T) {
	for _, r := range nativeRows(t) {
		t.Run(strings.TrimPrefix(r.what, "native: "), func(t *testing.T) { r.check(t, native) })
	}
}

// refusedToNative are those of the interfaces that a native program does not
// have, with the arguments that they are tried with.
func refusedToNative(t *testing.T) (calls []string) {
	rules, err := seccomp.Table(seccomp.RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range interfaces {
		if number(call) >= 0 && seccomp.Decide(seccomp.RoleNative, rules, call, interfaceArgs[call]) != seccomp.Allow {
			calls = append(calls, call)
		}
	}
	return calls
}

// What the table refuses a native program, the kernel refuses it, by the
// answer that the table has.
func TestNativeSystemCalls(t *testing.T) {
	rules, err := seccomp.Table(seccomp.RoleNative)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, func(t *testing.T, sp spec) { native(t, sp, nil) })
	for _, call := range refusedToNative(t) {
		r := numbered(attack.Native, number(call), interfaceArgs[call])
		checkDecision(t, r, s.try(r), seccomp.Decide(seccomp.RoleNative, rules, call, interfaceArgs[call]))
	}
	for family := range uint64(attack.Families) {
		if family == unix.AF_UNIX {
			continue
		}
		r := numbered(attack.Native, unix.SYS_SOCKET, [6]uint64{family, unix.SOCK_STREAM})
		if o := s.try(r); o.Errno != unix.EPERM {
			t.Errorf("socket family %d: %v, want EPERM", family, o)
		}
	}
}

// nativeFiles tell of the host or of process 1, or would change the kernel. A
// native program opens none of them; what is there at all is its own root's.
var nativeFiles = map[string]int{
	"/proc/1/mem": unix.O_RDONLY, "/proc/1/environ": unix.O_RDONLY, "/proc/1/exe": unix.O_RDONLY, "/proc/1/fd/3": unix.O_RDONLY,
	"/proc/1/root/victim": unix.O_RDONLY, "/proc/1/maps": unix.O_RDONLY, "/proc/1/cwd": unix.O_RDONLY,
	"/proc/sys/kernel/core_pattern": unix.O_WRONLY, "/proc/sys/kernel/modprobe": unix.O_WRONLY, "/proc/sys/kernel/hostname": unix.O_WRONLY,
	"/proc/sys/vm/overcommit_memory": unix.O_WRONLY, "/proc/sys/fs/binfmt_misc/register": unix.O_WRONLY, "/proc/sysrq-trigger": unix.O_WRONLY,
	"/proc/kcore": unix.O_RDONLY, "/proc/kmsg": unix.O_RDONLY, "/proc/kallsyms": unix.O_WRONLY,
	"/proc/self/uid_map": unix.O_WRONLY, "/proc/self/oom_score_adj": unix.O_WRONLY, "/proc/self/attr/exec": unix.O_WRONLY,
	"/sys/fs/cgroup/release_agent": unix.O_WRONLY, "/sys/fs/cgroup/memory/release_agent": unix.O_WRONLY, "/sys/fs/cgroup/cgroup.procs": unix.O_WRONLY,
	"/sys/kernel/uevent_helper": unix.O_WRONLY, "/dev/mem": unix.O_RDONLY, "/dev/kmsg": unix.O_RDONLY, "/dev/fuse": unix.O_RDWR, "/dev/sda": unix.O_RDONLY,
	"/dev/tty": unix.O_RDWR, "/dev/ptmx": unix.O_RDWR, "/run/mpsupervisor": unix.O_RDONLY, "/../../../../etc/shadow": unix.O_RDONLY,
}

func TestNativeFiles(t *testing.T) {
	s := newSession(t, func(t *testing.T, sp spec) { native(t, sp, nil) })
	for path, flags := range nativeFiles {
		aside := [][]lock.Name{nil, ll, filterAndLL}
		if strings.HasPrefix(path, "/proc/1/") {
			aside = aside[:1] // it is not dumpable in a worker, but the probe is
		}
		for _, without := range aside {
			switch o := s.try(opening(path, flags), without...); o.String() {
			case "ENOENT", "EACCES", "EROFS", "EPERM", "done: " + attack.Masked:
			default:
				t.Errorf("%s without %v: %v", path, without, o)
			}
		}
	}
	if o := s.try(opening("/victim", unix.O_RDONLY)); o.String() != "done" {
		t.Errorf("a file that is there and its own: %v", o)
	}
}

var ll = []lock.Name{lock.Landlock}

// /tmp holds what it may and no more. The controls have a larger one.
func TestNativeTmp(t *testing.T) {
	large := nativeShare
	large.TmpBytes, large.TmpFiles = 32<<20, 256
	for want, share := range map[string]isolate.Native{"ENOSPC": nativeShare, "done": large} {
		s := newSession(t, func(t *testing.T, sp spec) { startNative(t, sp, share, nil) })
		for _, r := range []attack.Request{on(attack.Fill, "", 16<<20), on(attack.Litter, "", 100)} {
			if o := s.try(r); o.String() != want {
				t.Errorf("%s with %d bytes and %d files: %v, want %s", r.Attack, share.TmpBytes, share.TmpFiles, o, want)
			}
		}
	}
}
