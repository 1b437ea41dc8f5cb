package bundle

import (
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
)

// Native is the member "native" of a native program: how its entry is
// executed.
type Native struct {
	Args     []string // after the program's own name
	Env      []string // NAME=VALUE, in the manifest's order
	Syscalls []string // all that it may call, of what its role allows; nil for everything of that
}

// The bounds of Native. Each is far within what one message to a worker holds.
const (
	maxArgs     = 256
	maxArgText  = 32 << 10 // bytes of all arguments or all variables together, and of their ends
	maxSyscalls = 512
)

// hostVariable is the environment variable that names the descriptor to the
// host; only the worker sets it.
const hostVariable = "MP_HOST_FD"

var (
	envName     = form(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
	syscallName = form(`^[a-z_][a-z0-9_]{0,39}$`)
)

func (m *Vendor) readNative(c *checker, path string, v *value) error {
	m.Native = &Native{}
	return strict(c, path, v, []rule{
		{"args", checked, m.Native.readArgs},
		{"env", checked, m.Native.readEnv},
		{"syscalls", checked, nonEmpty(each(m.Native.readSyscall))},
	})
}

// checkNative holds runtime, entry and native against each other.
func (m *Vendor) checkNative(path string, v *value) error {
	if m.Runtime != RuntimeNative {
		if n, ok := v.member("native"); ok {
			return fault(join(path, "native"), n.line, "is only for programs with the runtime %q", RuntimeNative)
		}
		return nil
	}
	if m.Native == nil {
		m.Native = &Native{}
	}
	e, ok := v.member("entry")
	switch {
	case !ok:
		return fault(join(path, "entry"), v.line, "is missing: it names the program that is executed, such as %q", archive.Root+"/bin/program")
	case !archive.BelowRoot(m.Entry):
		return fault(join(path, "entry"), e.line, "must be below %s/, which is the program's root directory, and is %.80q", archive.Root, m.Entry)
	}
	return nil
}

func (n *Native) readArgs(c *checker, path string, v *value) error {
	total := 0
	err := each(func(_ *checker, path string, v *value) error {
		if err := readRaw(path, v); err != nil {
			return err
		}
		n.Args, total = append(n.Args, v.text), total+len(v.text)+1
		return nil
	})(c, path, v)
	if err != nil {
		return err
	}
	return checkTotal(path, v, len(n.Args), total)
}

// readEnv reads an object whose members are the variables.
func (n *Native) readEnv(_ *checker, path string, v *value) error {
	if v.kind != isObject {
		return wrongType(path, v, isObject)
	}
	total := 0
	for _, m := range v.members {
		name := join(path, m.name)
		switch {
		case !envName().MatchString(m.name):
			return fault(name, m.line, "is no name of a variable: letters, digits and underscores, at most 64")
		case m.name == hostVariable:
			return fault(name, m.line, "is set by mpsupervisor alone")
		}
		if err := readRaw(name, m.value); err != nil {
			return err
		}
		n.Env, total = append(n.Env, m.name+"="+m.text), total+len(m.name)+len(m.text)+2
	}
	return checkTotal(path, v, len(n.Env), total)
}

func (n *Native) readSyscall(_ *checker, path string, v *value) error {
	switch {
	case v.kind != isString:
		return wrongType(path, v, isString)
	case !syscallName().MatchString(v.text):
		return fault(path, v.line, "must be the name of a system call such as \"openat\", not %.40q", v.text)
	case len(n.Syscalls) == maxSyscalls:
		return fault(path, v.line, "is one too many: at most %d are allowed", maxSyscalls)
	}
	n.Syscalls = append(n.Syscalls, v.text)
	return nil
}

// readRaw checks a string that the kernel takes as an argument: anything but
// the zero byte that would end it.
func readRaw(path string, v *value) error {
	switch {
	case v.kind != isString:
		return wrongType(path, v, isString)
	case strings.ContainsRune(v.text, 0):
		return fault(path, v.line, "has a zero byte")
	}
	return nil
}

func checkTotal(path string, v *value, n, total int) error {
	switch {
	case n > maxArgs:
		return fault(path, v.line, "has %d members, at most %d are allowed", n, maxArgs)
	case total > maxArgText:
		return fault(path, v.line, "has %d bytes, at most %d are allowed", total, maxArgText)
	}
	return nil
}
