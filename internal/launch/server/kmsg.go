package server

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// kmsg follows the kernel's log from its end (Documentation/ABI/testing/dev-kmsg).
type kmsg struct{ f *os.File }

// follow hands on the text of each line that the kernel itself logs from now on.
func follow(log *slog.Logger, take func(text string)) *kmsg {
	k := &kmsg{}
	f, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err == nil {
		_, err = f.Seek(0, unix.SEEK_END)
	}
	if err != nil {
		log.Warn("cannot read the kernel's log: nobody hears of faults, and their class is unknown", "err", err)
		return k
	}
	k.f = f
	go k.run(take)
	return k
}

func (k *kmsg) close() {
	if k.f != nil {
		k.f.Close()
	}
}

func (k *kmsg) run(take func(string)) {
	b := make([]byte, 8<<10) // more than the kernel gives of one record
	for {
		n, err := k.f.Read(b)
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EINVAL) {
			continue // overwritten before it was read, or too long: the next read gives the next
		}
		if err != nil || n == 0 {
			return
		}
		if text, ok := kernelText(b[:n]); ok {
			take(text)
		}
	}
}

// kernelText gives the text of one record, which reads
// "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT\n", with further lines that begin
// with a blank. Only what a fault's line can be is given: the priority's upper
// bits are the facility, and 0 is the kernel. In the text, bytes that are not
// printable are written \xNN.
func kernelText(b []byte) (string, bool) {
	head, rest, ok := bytes.Cut(b, []byte(";"))
	if !ok {
		return "", false
	}
	priority, _, _ := bytes.Cut(head, []byte(","))
	p, err := strconv.ParseUint(string(priority), 10, 32)
	if err != nil || p>>3 != 0 {
		return "", false
	}
	text, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(text), true
}
