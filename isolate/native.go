package isolate

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// Native is what a native program has besides its worker.
type Native struct {
	// Root is the directory that becomes the program's root, read-only: a
	// descriptor opened with O_PATH or O_RDONLY. It stays the caller's.
	Root *os.File

	TTY      bool  // /dev/tty is there
	TmpBytes int64 // what /tmp can hold; it counts as the worker's memory, too
	TmpFiles int64 // how many inodes /tmp can have
	Files    int64 // open descriptors of each process
}

func (n *Native) check() error {
	switch {
	case n == nil:
		return nil
	case n.Root == nil:
		return fmt.Errorf("native program without a root directory")
	case n.TmpBytes <= 0 || n.TmpFiles <= 0 || n.Files <= 0:
		return fmt.Errorf("native program without a limit for /tmp or for descriptors")
	}
	return nil
}

// masked are the files of /proc that tell of the host, or were a way to it: the
// ones that every container runtime hides, where this kernel has them. What
// remains is read-only and shows no process but the program's own.
var masked = []string{
	"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats",
}

// nativeContainer gives the settings of a native program for libcontainer. Its
// root is put together by furnish; what is left for libcontainer is what must be
// made in the worker's own namespaces.
func (l *Launcher) nativeContainer(conf *configs.Config, s Spec) {
	conf.Rootfs, conf.Readonlyfs = l.place(s.ID), false // it is read-only already, and its flags are locked
	dev := l.template(s.Native.TTY)
	conf.Mounts = []*configs.Mount{{
		// Read-only as a whole, which is more than the usual list of paths below
		// it, and takes no mount of its own for each.
		Source: "proc", Destination: "/proc", Device: "proc", Data: "hidepid=ptraceable",
		Flags: unix.MS_NOEXEC | locked,
	}, {
		Source: dev, Destination: "/dev", Device: "bind",
		Flags: unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NOEXEC,
	}}
	conf.MaskPaths = masked
	conf.Rlimits = nativeRlimits(uint64(s.Native.Files))
}

// nativeRlimits are a worker's, but for files that may be written, and a stack
// of the size that C programs expect.
func nativeRlimits(files uint64) []configs.Rlimit {
	const stack, mostStack = 8 << 20, 64 << 20
	all := rlimits()
	kept := all[:0]
	for _, l := range all {
		switch l.Type {
		case unix.RLIMIT_FSIZE:
			continue // the size of /tmp is the limit
		case unix.RLIMIT_NOFILE:
			l = lowered(configs.Rlimit{Type: l.Type, Soft: files, Hard: files})
		case unix.RLIMIT_STACK:
			l = lowered(configs.Rlimit{Type: l.Type, Soft: stack, Hard: mostStack})
		}
		kept = append(kept, l)
	}
	return kept
}

// self is the worker's binary for a worker that has it open as its last
// descriptor: there is no file of ours in the root of a native program.
func self(files int) string { return "/proc/self/fd/" + strconv.Itoa(3+files) }

// natives is where what native programs share is, and the mount points of their
// roots: a file system in memory, below the one of files.
func (l *Launcher) natives() string { return filepath.Join(l.files(), "native") }

// skeleton holds the mount points that every native program's root has.
func (l *Launcher) skeleton() string { return filepath.Join(l.natives(), "skeleton") }

// place is the mount point of one worker's root.
func (l *Launcher) place(id string) string { return filepath.Join(l.natives(), "roots", id) }

// template is the directory that becomes /dev.
func (l *Launcher) template(tty bool) string {
	if tty {
		return filepath.Join(l.natives(), "dev-tty")
	}
	return filepath.Join(l.natives(), "dev")
}

// makeNatives makes what native programs share. Where the host forbids it, no
// native program can be started; others can.
func (l *Launcher) makeNatives() error {
	if err := mkdir(l.natives(), 0o711); err != nil {
		return err
	}
	// Devices work here, as nowhere else that a worker sees.
	data := fmt.Sprintf("mode=711,size=64k,nr_inodes=%d", 64+l.conf.Slots)
	if err := unix.Mount("mpsupervisor", l.natives(), "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, data); err != nil {
		return fmt.Errorf("cannot mount file system for native programs: %w", err)
	}
	if err := mkdir(l.place(""), 0o711); err != nil {
		return err
	}
	for _, dir := range []string{"", "proc", "dev", "tmp"} {
		if err := mkdir(filepath.Join(l.skeleton(), dir), 0o755); err != nil {
			return err
		}
	}
	if err := makeDev(l.template(false), devices); err != nil {
		return err
	}
	return makeDev(l.template(true), append(devices[:len(devices):len(devices)], device{"tty", 5, 0}))
}

// device is a character device that a native program has (Linux's
// Documentation/admin-guide/devices.txt).
type device struct {
	name         string
	major, minor uint32
}

var devices = []device{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}}

// links are the other names in /dev. POSIX shared memory is files in /tmp.
var links = []struct{ name, target string }{
	{"fd", "/proc/self/fd"}, {"stdin", "fd/0"}, {"stdout", "fd/1"}, {"stderr", "fd/2"}, {"shm", "/tmp"},
}

// makeDev makes a directory with devices that anybody may use.
func makeDev(dir string, devices []device) error {
	if err := mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, d := range devices {
		name := filepath.Join(dir, d.name)
		if err := unix.Mknod(name, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("cannot make device %s (it takes CAP_MKNOD): %w", d.name, err)
		}
		if err := os.Chmod(name, 0o666); err != nil { // whatever the umask is
			return fmt.Errorf("cannot make device %s: %w", d.name, err)
		}
	}
	for _, link := range links {
		if err := os.Symlink(link.target, filepath.Join(dir, link.name)); err != nil {
			return fmt.Errorf("cannot make %s: %w", link.name, err)
		}
	}
	return nil
}

// noNatives is why no native program can be started, as the lack of a lock.
func (l *Launcher) noNatives() error {
	if l.unfit == nil {
		return nil
	}
	return lock.Missing(lock.ReadOnlyRoot, "%v", l.unfit)
}
