package native

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// spawn executes the program and returns its process id. It is the leader of a
// session and of a process group of that number.
func spawn(p *engine.Program, w *wiring) (int, error) {
	env := environment(p.AppID, p.Exec.Env)
	name := p.Exec.Args[0]
	if err := beginsIn(name, p.Exec.Dir); err != nil {
		return 0, err
	}
	file, refused := find(name, p.Exec.Dir, lookup(env, "PATH"))
	if refused != nil {
		return 0, refused
	}
	if p.Exec.TTY && !isTerminal(w.theirs[0]) {
		return 0, refusal(codeCannot, name, "its standard input is no terminal that could control it")
	}
	// Ours came from the launcher, and is for files that nobody is to share.
	defer syscall.Umask(syscall.Umask(0o022))
	pid, err := syscall.ForkExec(file, p.Exec.Args, &syscall.ProcAttr{
		Dir:   under(p.Exec.Dir, ""),
		Env:   env,
		Files: descriptors(w.theirs),
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: p.Exec.TTY, Ctty: 0},
	})
	if err != nil {
		return 0, execError(name, err)
	}
	return pid, nil
}

func descriptors(fds []int) (files []uintptr) {
	for _, fd := range fds {
		files = append(files, uintptr(fd))
	}
	return files
}

// beginsIn looks at the directory by itself: execve(2) and chdir(2) fail with
// the same errors.
func beginsIn(name, dir string) error {
	st, err := os.Stat(under(dir, ""))
	switch {
	case err != nil:
		return refusal(codeCannot, name, "it cannot begin in its directory: %v", err)
	case !st.IsDir():
		return refusal(codeCannot, name, "it cannot begin in %s, which is not a directory", dir)
	}
	return nil
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// execError explains what execve(2) says of a file that is there.
func execError(name string, err error) *engine.Exit {
	switch err {
	case syscall.ENOENT:
		return refusal(codeNotFound, name, "the interpreter of its first line, or its dynamic loader, is not there")
	case syscall.ENOEXEC:
		return refusal(codeCannot, name, "it is no program for this machine; a script needs a first line that begins with #!")
	case syscall.EACCES:
		return refusal(codeCannot, name, "the program, its interpreter or where they lie may not be executed")
	}
	return refusal(codeCannot, name, "%v", err)
}
