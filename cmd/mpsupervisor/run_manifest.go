package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// withVendor returns a manifest with the suggested member over its own, and
// every other byte as it was.
func withVendor(manifest, suggested []byte) ([]byte, error) {
	from, to, own, err := findVendor(manifest)
	if err != nil {
		return nil, err
	}
	merged := mergeJSON(own, suggested)
	var b bytes.Buffer
	if bytes.Equal(compact(merged), compact(own)) {
		return manifest, nil
	}
	b.Write(manifest[:from])
	if own == nil {
		fmt.Fprintf(&b, ",\n  %q: ", vendorMember)
	}
	b.WriteString(layOut(merged, "  "))
	if own == nil {
		b.WriteString("\n")
	}
	b.Write(manifest[to:])
	return b.Bytes(), nil
}

// findVendor finds the value of the member, or the place for one: after the last
// member.
func findVendor(manifest []byte) (from, to int, own json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(manifest))
	if _, err := d.Token(); err != nil { // the brace
		return 0, 0, nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return 0, 0, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return 0, 0, nil, err
		}
		to = int(d.InputOffset())
		if name == vendorMember {
			return to - len(value), to, value, nil
		}
	}
	return to, to + bytes.IndexByte(manifest[to:], '}'), nil, nil
}

// mergeJSON lays over on top of base: objects member by member, in the order of
// base, anything else as a whole.
func mergeJSON(base, over []byte) []byte {
	names, members, ok := object(base)
	overNames, overMembers, overOK := object(over)
	if !ok || !overOK {
		return over
	}
	for _, n := range overNames {
		if own, there := members[n]; there {
			members[n] = mergeJSON(own, overMembers[n])
			continue
		}
		names, members[n] = append(names, n), overMembers[n]
	}
	var b bytes.Buffer
	for i, n := range names {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(quoted(n) + ":")
		b.Write(members[n])
	}
	if len(names) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// quoted is a string as JSON has it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}

// maxInline is how long a list may be that stands on one line.
const maxInline = 80

// layOut writes JSON as people do: members on lines of their own, and lists of
// plain values on one if they are short. Every line but the first begins with
// indent.
func layOut(b []byte, indent string) string {
	deeper := indent + "  "
	var items []string
	if names, members, ok := object(b); ok {
		for _, n := range names {
			items = append(items, quoted(n)+": "+layOut(members[n], deeper))
		}
		return wrapped(items, "{", "}", indent)
	}
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil || list == nil {
		return string(compact(b))
	}
	for _, item := range list {
		items = append(items, layOut(item, deeper))
	}
	if line := "[" + strings.Join(items, ", ") + "]"; len(line) <= maxInline && !strings.Contains(line, "\n") {
		return line
	}
	return wrapped(items, "[", "]", indent)
}

func wrapped(items []string, begin, end, indent string) string {
	if len(items) == 0 {
		return begin + end
	}
	return begin + "\n" + indent + "  " + strings.Join(items, ",\n"+indent+"  ") + "\n" + indent + end
}

func compact(b []byte) []byte {
	var out bytes.Buffer
	json.Compact(&out, b) // of what is not JSON nothing comes
	return out.Bytes()
}
