// Command victim gives up root as its first argument says and then prints,
// a line each, what it can still do.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/mpsupervisor/mpsupervisor/internal/privilege"
)

func main() {
	mode, secret := os.Args[1], os.Args[2]
	if mode == "euid" {
		fmt.Print(os.Geteuid())
		return
	}
	release := manyThreads()
	if err := give(mode); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for _, a := range attacks {
		fmt.Printf("%s: %s\n", a.name, a.try(secret))
	}
	close(release)
}

// give does what is being tested. "user" is the control: it becomes the same
// user with the plain system calls, as a program without this package would.
func give(mode string) error {
	u := privilege.User{Name: "victim", UID: privilege.FallbackID, GID: privilege.FallbackID}
	switch mode {
	case "none":
		return nil
	case "user":
		if err := syscall.Setresgid(int(u.GID), int(u.GID), int(u.GID)); err != nil {
			return err
		}
		return syscall.Setresuid(-1, int(u.UID), -1)
	case "drop":
		return privilege.Drop(u)
	case "keep":
		return privilege.Drop(u, privilege.DACReadSearch)
	case "keep-then-all":
		if err := privilege.Drop(u, privilege.DACReadSearch); err != nil {
			return err
		}
		return privilege.DropAll()
	case "all-as-root":
		return privilege.DropAll()
	case "root":
		return privilege.Drop(privilege.User{Name: "root"})
	}
	return fmt.Errorf("no mode %q", mode)
}

var attacks = []struct {
	name string
	try  func(secret string) string
}{
	{"read a secret", func(secret string) string {
		_, err := os.ReadFile(secret)
		return outcome(err)
	}},
	{"write a secret", func(secret string) string {
		f, err := os.OpenFile(secret, os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return outcome(err)
	}},
	{"set-user-id program", func(secret string) string {
		out, err := exec.Command(strings.TrimSuffix(secret, "secret")+"setuid", "euid", "-").Output()
		if err != nil {
			return outcome(err)
		}
		return string(out)
	}},
	{"setgroups", func(string) string { return outcome(syscall.Setgroups([]int{0})) }},
	{"setgid", func(string) string { return outcome(syscall.Setresgid(0, 0, 0)) }},
	{"setuid", func(string) string { return outcome(syscall.Setresuid(0, 0, 0)) }},
	{"raw setuid on each thread", func(string) string { return onThreads(rawSetuid) }},
	{"chroot", func(string) string { return outcome(syscall.Chroot("/")) }},
}

func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return "refused"
}

func rawSetuid() bool {
	_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, 0, 0, 0)
	return errno == 0
}

const threads = 8

// manyThreads makes sure that there are threads to forget.
func manyThreads() (release chan struct{}) {
	release = make(chan struct{})
	var up sync.WaitGroup
	up.Add(threads)
	for range threads {
		go func() {
			runtime.LockOSThread()
			up.Done()
			for {
				select {
				case f := <-work:
					results <- f()
				case <-release:
					return
				}
			}
		}()
	}
	up.Wait()
	return release
}

var (
	work    = make(chan func() bool)
	results = make(chan bool, threads)
)

// onThreads runs f on the locked threads at once, and tells if any succeeded.
func onThreads(f func() bool) string {
	var together sync.WaitGroup
	together.Add(threads)
	for range threads {
		work <- func() bool {
			together.Done()
			together.Wait() // no thread takes two
			return f()
		}
	}
	for range threads {
		if <-results {
			return "done"
		}
	}
	return "refused"
}
