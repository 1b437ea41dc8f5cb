package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/test/escape/attack"
)

func bindTCP(attack.Request) attack.Outcome {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return ended(err)
	}
	return ended(unix.Bind(fd, &unix.SockaddrInet4{}))
}

func connect(r attack.Request) attack.Outcome {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return ended(err)
	}
	return ended(unix.Connect(fd, &unix.SockaddrInet4{Port: int(r.Args[0]), Addr: [4]byte{127, 0, 0, 1}}))
}

// sockets tries every family and type.
func sockets(attack.Request) attack.Outcome {
	var made []string
	for family := range attack.Families {
		for _, kind := range attack.SocketTypes {
			if fd, err := unix.Socket(family, kind, 0); err == nil {
				made = append(made, fmt.Sprintf("%d/%d", family, kind))
				unix.Close(fd)
			}
		}
	}
	return attack.Outcome{Note: strings.Join(made, " ")}
}
