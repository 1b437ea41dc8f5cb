package native

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// roles are programs that tests execute. Each gets its host descriptor.
var roles = map[string]func(host *os.File){
	"serve":       serve,
	"garbage":     func(h *os.File) { h.WriteString("{\"jsonrpc\"\n"); told(h) },
	"not UTF-8":   func(h *os.File) { h.WriteString("\"\xff\"\n"); told(h) },
	"long line":   func(h *os.File) { go h.Write(bytes.Repeat([]byte{'x'}, 2<<20)); told(h) },
	"deep":        func(h *os.File) { h.WriteString(strings.Repeat("[", 500_000) + "\n"); told(h) },
	"never reads": neverReads,
	"sleeps":      func(*os.File) { time.Sleep(time.Hour) },
	"closes":      closes,
	"half a line": func(h *os.File) { h.WriteString(`{"jsonrpc":"2.0","method":"log"`) },
	"descriptors": descriptors3,
	"converses":   converses,
	"says much":   saysMuch,
}

// told prints what the host says before it ends us.
func told(h *os.File) {
	b := make([]byte, 1000)
	n, _ := h.Read(b)
	os.Stdout.Write(b[:n])
	time.Sleep(time.Hour)
}

// serve answers calls, by the name of the method.
func serve(h *os.File) {
	in := bufio.NewReaderSize(h, 4<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var m struct {
			ID     json.RawMessage
			Method string
			Params json.RawMessage
		}
		if err := json.Unmarshal(line, &m); err != nil {
			fmt.Println("not JSON:", err)
			return
		}
		if reply, ok := replies[m.Method]; ok {
			fmt.Fprintf(h, `{"jsonrpc":"2.0","id":%s,%s}`+"\n", m.ID, reply)
			continue
		}
		switch m.Method {
		case "echo":
			if m.Params == nil {
				m.Params = json.RawMessage(`"none"`)
			}
			fmt.Fprintf(h, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", m.ID, m.Params)
		case "big":
			var n [1]int
			json.Unmarshal(m.Params, &n)
			fmt.Fprintf(h, `{"jsonrpc":"2.0","id":%s,"result":"%s"}`+"\n", m.ID, strings.Repeat("x", n[0]))
		case "leave":
			var code [1]int
			json.Unmarshal(m.Params, &code)
			os.Exit(code[0])
		case "never":
		case "close":
			h.Close()
			fmt.Println("closed")
			time.Sleep(time.Hour)
		default:
			fmt.Fprintf(h, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`+"\n", m.ID)
		}
	}
}

// replies are what serve answers with, whatever the params.
var replies = map[string]string{
	"plain error":  `"error":{"code":1,"message":"it broke"}`,
	"full error":   `"error":{"code":1,"message":"m","data":{"name":"RangeError","message":"too far","stack":"at f (a.c:1)"}}`,
	"other data":   `"error":{"code":1,"message":"m","data":[1,2]}`,
	"no error":     `"error":"broken"`,
	"both":         `"result":1,"error":{"code":1,"message":"m"}`,
	"neither":      `"extra":1`,
	"null":         `"result":null`,
	"long error":   `"error":{"code":1,"message":"` + strings.Repeat("é", 50_000) + `"}`,
	"other answer": `"result":1}` + "\n" + `{"jsonrpc":"2.0","id":99999,"result":2}` + "\n" + `{"jsonrpc":"2.0","id":"x","result":3`,
}

// neverReads asks, for ever.
func neverReads(h *os.File) {
	b := bytes.Repeat([]byte(`{"jsonrpc":"2.0","id":"`+strings.Repeat("i", 200)+`","method":"app"}`+"\n"), 100)
	for {
		h.Write(b)
	}
}

// closes closes its end, and lives on.
func closes(h *os.File) {
	h.Close()
	fmt.Println("closed")
	time.Sleep(time.Hour)
}

// descriptors3 sends descriptors with a request and reads the answer.
func descriptors3(h *os.File) {
	rights := unix.UnixRights(0, 1, 2)
	for range 300 {
		if err := unix.Sendmsg(hostFD, []byte("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"app\"}\n"), rights, nil, 0); err != nil {
			fmt.Println(err)
		}
		line := make([]byte, 1000)
		n, _ := h.Read(line)
		if !bytes.Contains(line[:n], []byte("com.example.test")) {
			fmt.Printf("%s\n", line[:n])
		}
	}
	fmt.Println("sent")
	h.Read(make([]byte, 1))
}

// converses sends each line of its argument and prints what comes back.
func converses(h *os.File) {
	in := bufio.NewReader(h)
	for line := range strings.Lines(os.Getenv("LINES_TO_SEND")) {
		io.WriteString(h, line)
	}
	for range strings.Count(os.Getenv("LINES_TO_SEND"), "\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Print(line)
	}
}

// saysMuch logs through the host and ends at once.
func saysMuch(h *os.File) {
	for i := range 100 {
		fmt.Fprintf(h, `{"jsonrpc":"2.0","method":"log","params":{"level":"debug","text":"%d"}}`+"\n", i)
	}
}
