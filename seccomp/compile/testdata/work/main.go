// Command work is a plain Go program: what it does is what many do. The tests
// of package compile build it and run it under the filters for programs.
//
//	work         # do something of everything
//	work stack   # print the rights of its stack
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "stack" {
		stack()
		return
	}
	dir, err := os.MkdirTemp("", "work-")
	check(err)
	defer os.RemoveAll(dir)
	files(dir)
	threads()
	children()
	signals()
	sockets(filepath.Join(dir, "socket"))
	fmt.Println("done")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func stack() {
	f, err := os.Open("/proc/self/maps")
	check(err)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); fields[len(fields)-1] == "[stack]" {
			fmt.Println(fields[1])
		}
	}
}

func files(dir string) {
	name := filepath.Join(dir, "file")
	check(os.WriteFile(name, []byte("hello"), 0o600))
	check(os.Chmod(name, 0o640))
	check(os.Chtimes(name, time.Now(), time.Now()))
	check(os.Rename(name, name+"2"))
	check(os.Symlink("file2", name))
	check(os.Link(name+"2", name+"3"))
	check(os.Truncate(name, 3))
	_, err := os.ReadDir(dir)
	check(err)
	from, err := os.Open(name)
	check(err)
	to, err := os.Create(name + "4")
	check(err)
	check(syscall.Flock(int(to.Fd()), syscall.LOCK_EX))
	_, err = io.Copy(to, from) // copy_file_range
	check(err)
	check(to.Sync())
	pages, err := syscall.Mmap(int(to.Fd()), 0, 3, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	check(err)
	check(syscall.Munmap(pages))
	check(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
}

func threads() {
	var all sync.WaitGroup
	total := make(chan int, 100)
	for range 100 {
		all.Go(func() {
			b := make([]byte, 1<<20)
			time.Sleep(time.Millisecond)
			total <- len(b)
		})
	}
	all.Wait()
}

func children() {
	out, err := exec.Command("/bin/sh", "-c", "read line; echo got $line; exit 3").Output()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 3 {
		panic(fmt.Sprint(string(out), err))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if exec.CommandContext(ctx, "/bin/sleep", "100").Run() == nil {
		panic("sleep was not ended")
	}
}

func signals() {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	<-got
}

func sockets(name string) {
	l, err := net.Listen("unix", name)
	check(err)
	go func() {
		c, err := l.Accept()
		check(err)
		_, err = io.Copy(c, c) // splice, where it is to be had
		check(err)
		c.Close()
	}()
	c, err := net.Dial("unix", name)
	check(err)
	_, err = c.Write([]byte("echo"))
	check(err)
	check(c.(*net.UnixConn).CloseWrite())
	echo, err := io.ReadAll(c)
	check(err)
	if string(echo) != "echo" {
		panic(string(echo))
	}
}
