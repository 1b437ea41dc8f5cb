package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// readStatus reads the lines "Key: value" of /proc/PID/status
// (proc_pid_status(5)).
func readStatus(path string) (map[string]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseStatus(b), nil
}

func parseStatus(b []byte) map[string]string {
	fields := make(map[string]string, 64)
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok {
			fields[k] = strings.TrimSpace(v)
		}
	}
	return fields
}

// readTasks reads the status of each thread: capabilities, no_new_privs and
// filters are a thread's own. Threads that end meanwhile do not count; new ones
// inherit from one that does.
func (v *view) readTasks() error {
	entries, err := os.ReadDir(v.dir + "task")
	if err != nil {
		return err
	}
	for _, e := range entries {
		s, err := readStatus(v.dir + "task/" + e.Name() + "/status")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return err
		}
		v.tasks = append(v.tasks, s)
	}
	if len(v.tasks) == 0 {
		return ErrGone
	}
	return nil
}

// kin is a process of a native program besides process 1.
type kin struct {
	pid    int
	status map[string]string
}

// readKin reads the status of every other process in a native program's group.
// Those that end meanwhile do not count.
func (v *view) readKin() error {
	if v.Native == nil {
		return nil
	}
	pids, err := v.Group.Procs()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if pid == v.Pid {
			continue
		}
		s, err := readStatus("/proc/" + strconv.Itoa(pid) + "/status")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return err
		}
		v.kin = append(v.kin, kin{pid, s})
	}
	// What has left the group meanwhile may have been somebody else's pid by then.
	if pids, err = v.Group.Procs(); err != nil {
		return err
	}
	v.kin = slices.DeleteFunc(v.kin, func(k kin) bool { return !slices.Contains(pids, k.pid) })
	return nil
}

// everyone looks at process 1 and then at each other process; the first that is
// not as it must be is what was found.
func everyone(first look, each func(*view, map[string]string) (found string, ok bool)) look {
	return func(v *view) (want, found string, ok bool) {
		want, found, ok = first(v)
		if !ok || len(v.kin) == 0 {
			return want, found, ok
		}
		for _, k := range v.kin {
			if found, ok := each(v, k.status); !ok {
				return want, fmt.Sprintf("process %d: %s", k.pid, found), false
			}
		}
		return want, fmt.Sprintf("%s, and %d more processes", found, len(v.kin)), true
	}
}

// every finds the value of a key in all threads. Where they differ, all values
// are given, and it is not every thread's.
func (v *view) every(key string) (value string, same bool) {
	value = v.tasks[0][key]
	for _, t := range v.tasks[1:] {
		if t[key] != value {
			return "differs between threads: " + value + " and " + t[key], false
		}
	}
	return value, true
}

// startTime reads fields 22 and 3 of /proc/PID/stat (proc_pid_stat(5)). The
// second field, the name, is in parentheses and can hold anything.
func startTime(stat []byte) (ticks uint64, state byte, err error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("stat is too short: %q", stat)
	}
	ticks, err = strconv.ParseUint(string(fields[22-3]), 10, 64)
	return ticks, fields[0][0], err
}
