package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

var actions = map[string]func(){
	"nothing": func() {},
	"wait":    func() { os.Stdin.Read(make([]byte, 1)) },
	"work":    work,
	"crash":   func() { panic("the reason of the crash") },
	"fault":   func() { fmt.Println(*nowhere) },
	"open":    func() { os.Open("/") },
	"sleep":   sleep,
}

var nowhere *int

// work makes the runtime do all that it does in a life: threads that come and
// go, collections, growth and return of memory, timers, preemption, faults that
// are caught, and input and output through the poller.
func work() {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, f := range []func(){spin, allocate, tick, sleepInKernel, loseThread, recoverFault, chance} {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					f()
				}
			}
		})
	}
	echo()
	close(stop)
	wg.Wait()
	grow()
	fmt.Fprintln(os.Stderr, "words on standard error")
	fmt.Println("done")
}

// echo answers each line until the input ends, through the runtime's poller.
func echo() {
	in := os.NewFile(0, "input")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fmt.Println("echo", lines.Text())
	}
}

// spin runs long enough without a call that only a signal preempts it.
func spin() {
	for range 50_000_000 {
		sum++
	}
	runtime.Gosched()
}

var sum int

func allocate() {
	for range 100 {
		garbage = make([]byte, 1<<16)
	}
	runtime.GC()
	debug.FreeOSMemory()
}

var garbage []byte

func tick() {
	t := time.NewTicker(time.Millisecond)
	defer t.Stop()
	for range 5 {
		_ = (<-t.C).String()
	}
}

// sleepInKernel holds a thread in a system call, so that the runtime needs others.
func sleepInKernel() {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil) })
	}
	wg.Wait()
}

// loseThread ends a thread: one to which a goroutine stayed locked is not reused.
func loseThread() {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		close(done)
	}()
	<-done
}

func recoverFault() {
	defer func() { recover() }()
	fmt.Println(*nowhere)
}

func chance() {
	var b [300]byte
	rand.Read(b[:])
	time.Sleep(time.Microsecond)
}

// grow takes 100 MB and gives it back.
func grow() {
	big := make([]byte, 100<<20)
	for i := 0; i < len(big); i += 4096 {
		big[i] = 1
	}
	runtime.KeepAlive(big)
	debug.FreeOSMemory()
}

// sleep sleeps in the kernel until a line comes, to be stopped and continued.
func sleep() {
	go func() {
		for {
			unix.Nanosleep(&unix.Timespec{Sec: 1}, nil)
		}
	}()
	echo()
	fmt.Println("done")
}
