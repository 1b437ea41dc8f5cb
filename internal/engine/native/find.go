package native

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// The codes with which a shell tells that a program was not run (POSIX, Shell
// Command Language, 2.8.2).
const (
	codeCannot   = mp.StatusCannot   // it is there and cannot be executed
	codeNotFound = mp.StatusNotFound // it is not there
)

// refusal is the end of a program that was never executed.
func refusal(code int, name, format string, args ...any) *engine.Exit {
	detail := fmt.Sprintf("cannot execute %s: %s", name, fmt.Sprintf(format, args...))
	return &engine.Exit{Exit: mp.Exit{Cause: mp.CauseExited, Code: code, Detail: detail}}
}

// find returns the path of a program: name itself if that has a slash, else the
// first of that name in path that can be executed, as in execvp(3). The
// program begins in dir, and so that is what paths are relative to.
func find(name, dir, path string) (string, *engine.Exit) {
	if strings.Contains(name, "/") {
		return name, executable(name, under(dir, name))
	}
	worst := refusal(codeNotFound, name, "it is in none of the directories of PATH (%s)", path)
	for _, d := range filepath.SplitList(path) {
		file := filepath.Join(d, name) // an empty d is where the program begins
		err := executable(name, under(dir, file))
		if err == nil {
			return inDir(file), nil
		}
		if err.Code == codeCannot {
			worst = err
		}
	}
	return "", worst
}

// inDir makes sure that nobody looks a path up once more.
func inDir(file string) string {
	if strings.Contains(file, "/") {
		return file
	}
	return "./" + file
}

func under(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join("/", dir, file)
}

// executable reports what is wrong with a file that is to be executed.
func executable(name, file string) *engine.Exit {
	st, err := os.Stat(file)
	switch {
	case os.IsNotExist(err), isNotDir(err):
		return refusal(codeNotFound, name, "there is no %s", file)
	case err != nil:
		return refusal(codeCannot, name, "%v", err)
	case st.IsDir():
		return refusal(codeCannot, name, "%s is a directory", file)
	case !st.Mode().IsRegular():
		return refusal(codeCannot, name, "%s is not a file", file)
	case unix.Access(file, unix.X_OK) != nil:
		return refusal(codeCannot, name, "%s may not be executed (mode %v)", file, st.Mode())
	}
	return nil
}

func isNotDir(err error) bool {
	e, ok := err.(*os.PathError)
	return ok && e.Err == unix.ENOTDIR
}
