package isolate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
	"github.com/opencontainers/runc/libcontainer/capabilities"
	"github.com/opencontainers/runc/libcontainer/configs"
	"golang.org/x/sys/unix"
)

// omissions are the ways to leave a lock out, for control runs. Those without
// one here are left out elsewhere: limits by Start, securebits and the keyring
// by package stage, and those that need another root file system by loosen.
//
// Capabilities come to nothing unless securebits are left out with them. The
// mount namespace is not here: without one libcontainer would mount in ours.
var omissions = map[lock.Name]func(*configs.Config){
	lock.UserNamespace:    withoutUserNamespace,
	lock.PidNamespace:     without(configs.NEWPID),
	lock.NetworkNamespace: without(configs.NEWNET),
	lock.IPCNamespace:     without(configs.NEWIPC),
	lock.UTSNamespace:     func(c *configs.Config) { c.Hostname = ""; without(configs.NEWUTS)(c) },
	lock.CgroupNamespace:  without(configs.NEWCGROUP),
	lock.UIDRange:         nil,
	lock.Capabilities:     func(c *configs.Config) { c.Capabilities = everyCapability() },
	lock.NoNewPrivs:       func(c *configs.Config) { c.NoNewPrivileges = false },
	lock.ReadOnlyRoot:     func(c *configs.Config) { c.Readonlyfs = false },
	lock.Rlimits:          func(c *configs.Config) { c.Rlimits = nil },
	lock.MemoryLimit:      nil,
	lock.PidsLimit:        nil,
	lock.CPULimit:         nil,
	lock.Securebits:       nil,
	lock.Keyring:          nil,
}

func without(ns configs.NamespaceType) func(*configs.Config) {
	return func(c *configs.Config) {
		c.Namespaces = slices.DeleteFunc(c.Namespaces, func(n configs.Namespace) bool { return n.Type == ns })
	}
}

// withoutUserNamespace leaves the user id as it would be on the host.
func withoutUserNamespace(c *configs.Config) {
	without(configs.NEWUSER)(c)
	c.UIDMappings, c.GIDMappings = nil, nil
}

// everyCapability gives all capabilities in all five sets.
func everyCapability() *configs.Capabilities {
	all := capabilities.KnownCapabilities()
	return &configs.Capabilities{Bounding: all, Effective: all, Inheritable: all, Permitted: all, Ambient: all}
}

// omit applies what a control run leaves out.
func (l *Launcher) omit(conf *configs.Config, s Spec) error {
	for _, name := range s.Without {
		if change := omissions[name]; change != nil {
			change(conf)
		}
	}
	if s.Native != nil && slices.Contains(s.Without, lock.ReadOnlyRoot) {
		conf.Mounts[0].Flags &^= unix.MS_RDONLY // /proc
	}
	proc := slices.Contains(s.Without, lock.PidNamespace)
	if s.Native == nil && (proc || slices.Contains(s.Without, lock.ReadOnlyRoot)) {
		if err := l.loosen(conf); err != nil {
			return err
		}
	}
	if proc { // libcontainer could not get a new one
		conf.MaskPaths = nil
		conf.Mounts[0] = &configs.Mount{Source: "/proc", Destination: "/proc", Device: "bind", Flags: unix.MS_BIND | unix.MS_REC}
	}
	return nil
}

// loosen gives a control run a root of its own, which anybody may write to. The
// usual one is read-only whatever is asked for.
func (l *Launcher) loosen(conf *configs.Config) error {
	root := filepath.Join(l.conf.StateDir, "loose")
	program := filepath.Join(root, l.program())
	for _, dir := range []string{"", "dev", "proc"} {
		if err := mkdir(filepath.Join(root, dir), 0o777); err != nil {
			return err
		}
	}
	if err := os.WriteFile(program, nil, 0o444); err != nil {
		return fmt.Errorf("cannot make mount point: %w", err)
	}
	conf.Rootfs = root
	conf.Mounts = append(conf.Mounts, &configs.Mount{
		Source: l.conf.Binary, Destination: l.program(), Device: "bind", Flags: unix.MS_BIND | locked,
	})
	return nil
}

// loosenNative gives a control run's native program a root that anybody may
// write to, with devices and set-user-ID bits in force. What is written stays in
// memory: the first mount at place holds it, the second is the root.
func loosenNative(place, lower string) error {
	if err := unix.Mount("loose", place, "tmpfs", 0, "mode=711"); err != nil {
		return fmt.Errorf("cannot mount root: %w", err)
	}
	upper, work := filepath.Join(place, "upper"), filepath.Join(place, "work")
	for _, dir := range []string{upper, work} {
		if err := mkdir(dir, 0o777); err != nil {
			return err
		}
	}
	if err := unix.Mount("root", place, "overlay", 0, fmt.Sprintf("%s,upperdir=%s,workdir=%s", lower, upper, work)); err != nil {
		return fmt.Errorf("cannot mount root: %w", err)
	}
	return nil
}
