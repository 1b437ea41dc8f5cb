// Attack is a native program that tries things on the process above it, each
// named by an argument. What it prints are results; nothing is a success.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const host = 3

func main() {
	for _, name := range os.Args[1:] {
		attacks[name]()
	}
	fmt.Println("done")
	if len(os.Args) > 1 && os.Getenv("STAY") != "" {
		time.Sleep(time.Hour)
	}
}

var attacks = map[string]func(){
	"descriptors": printDescriptors,
	"signals":     signalInit,
	"rights":      sendRights,
}

// printDescriptors prints those that are open besides Go's own, which are not
// inherited. They were opened first: the others have larger numbers.
func printDescriptors() {
	for fd := range 1024 {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			fmt.Println("descriptor", fd)
		}
	}
}

// signalInit sends every signal to process 1, again and again, while that is
// busy and makes threads.
func signalInit() {
	for range 200 {
		unix.Write(host, []byte(`{"jsonrpc":"2.0","method":"app"}`+"\n"))
		for s := unix.Signal(1); s <= 64; s++ {
			signalEveryWay(s)
		}
	}
}

// signalEveryWay claims that the kernel, a timer or another process is where
// the signal came from, too.
func signalEveryWay(s unix.Signal) {
	unix.Kill(1, s)
	unix.Tgkill(1, 1, s)
	for _, code := range []int32{-1, -2, -3, -4, -5, -6, -60} {
		info := struct {
			signo, errno, code int32
			rest               [116]byte
		}{signo: int32(s), code: code}
		unix.RawSyscall(unix.SYS_RT_SIGQUEUEINFO, 1, uintptr(s), uintptr(unsafe.Pointer(&info)))
		unix.RawSyscall6(unix.SYS_RT_TGSIGQUEUEINFO, 1, 1, uintptr(s), uintptr(unsafe.Pointer(&info)), 0, 0)
	}
}

// sendRights sends descriptors to the host with each request.
func sendRights() {
	rights := unix.UnixRights(0, 1, 2)
	answer := make([]byte, 1000)
	for i := range 300 {
		request := []byte(`{"jsonrpc":"2.0","id":` + strconv.Itoa(i) + `,"method":"app"}` + "\n")
		if err := unix.Sendmsg(host, request, rights, nil, 0); err != nil {
			fmt.Println("sendmsg:", err)
		}
		if n, err := unix.Read(host, answer); err != nil || !bytes.Contains(answer[:n], []byte(`"result"`)) {
			fmt.Printf("answer: %s, %v\n", answer[:n], err)
		}
	}
}
