//go:build wasip1

// Command tries what WASI gives it, and ends with a status of its own.
package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sort"
	"strings"
	"time"
)

func main() {
	fmt.Println("args", os.Args[0] == "app.wasm", os.Args[1:])
	fmt.Println("env", len(os.Environ()))
	input, err := io.ReadAll(bufio.NewReader(os.Stdin))
	fmt.Println("stdin", len(input), err)
	b, err := os.ReadFile("/data/greeting.txt")
	fmt.Printf("package %s %v\n", b, err)
	fmt.Println("write", os.WriteFile("/data/new", nil, 0o600) != nil, os.Remove("/data/greeting.txt") != nil, os.Mkdir("/x", 0o700) != nil)
	fmt.Println("list", list("/"), list("/data"))
	temporary()
	fmt.Println("clock", time.Now().Year() >= 2024, slept() >= 5*time.Millisecond)
	_, err = net.Dial("tcp", "127.0.0.1:80")
	fmt.Println("dial", err != nil)
	fmt.Println("random", rand.Uint64() != rand.Uint64())
	fmt.Fprint(os.Stderr, "last words")
	os.Exit(7)
}

func slept() time.Duration {
	begin := time.Now()
	time.Sleep(5 * time.Millisecond)
	return time.Since(begin)
}

func list(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

// temporary uses /tmp as programs do.
func temporary() {
	check := func(what string, err error) {
		if err != nil {
			fmt.Println("tmp", what, err)
		}
	}
	check("mkdir", os.MkdirAll("/tmp/a/b", 0o700))
	check("write", os.WriteFile("/tmp/a/b/f", []byte("hello"), 0o600))
	check("rename", os.Rename("/tmp/a/b/f", "/tmp/a/g"))
	f, err := os.OpenFile("/tmp/a/g", os.O_APPEND|os.O_RDWR, 0)
	check("open", err)
	_, err = f.WriteString(" world")
	check("append", err)
	check("close", f.Close())
	b, err := os.ReadFile("/tmp/a/g")
	check("read", err)
	fmt.Printf("tmp %s %s\n", b, list("/tmp/a"))
	check("remove", os.RemoveAll("/tmp/a"))
	err = os.WriteFile("/tmp/big", make([]byte, 8<<20), 0o600)
	fmt.Println("full", err != nil)
	check("remove", os.Remove("/tmp/big"))
}
