package main

import (
	"fmt"
	"strings"
)

// diffContext is how many unchanged lines are shown around a change.
const diffContext = 3

// maxDiffTable bounds the table of longest common subsequences; above it, all
// lines between the first and the last difference are shown as changed.
const maxDiffTable = 1 << 20

// diff returns the lines in which two texts differ as one hunk of a unified
// diff, or "" if there is none.
func diff(before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	a, b = withoutLast(a), withoutLast(b)
	head := commonHead(a, b)
	tail := commonTail(a[head:], b[head:])
	if head == len(a) && head == len(b) {
		return ""
	}
	from := max(head-diffContext, 0)
	end := min(len(a)-tail+diffContext, len(a))
	var out strings.Builder
	fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(from, end), span(from, end+len(b)-len(a)))
	for _, l := range a[from:head] {
		writeDiffLine(&out, ' ', l)
	}
	writeChanges(&out, a[head:len(a)-tail], b[head:len(b)-tail])
	for _, l := range a[len(a)-tail : end] {
		writeDiffLine(&out, ' ', l)
	}
	return out.String()
}

// withoutLast drops the empty text after the last line's end.
func withoutLast(lines []string) []string {
	if n := len(lines); n > 0 && lines[n-1] == "" {
		return lines[:n-1]
	}
	return lines
}

// span is a range of lines as a hunk's header has it. An empty one is named by
// the line before it.
func span(from, end int) string {
	if from == end {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, end-from)
}

func commonHead(a, b []string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonTail(a, b []string) (n int) {
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// writeChanges writes two runs of lines with what they have in common.
func writeChanges(out *strings.Builder, a, b []string) {
	common := commonLengths(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case common != nil && i < len(a) && j < len(b) && a[i] == b[j]:
			writeDiffLine(out, ' ', a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common == nil || common[i+1][j] >= common[i][j+1]):
			writeDiffLine(out, '-', a[i])
			i++
		default:
			writeDiffLine(out, '+', b[j])
			j++
		}
	}
}

// commonLengths is, for each i and j, the length of the longest common
// subsequence of a[i:] and b[j:]; nil if the table would be too large.
func commonLengths(a, b []string) [][]int {
	if (len(a)+1)*(len(b)+1) > maxDiffTable {
		return nil
	}
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			table[i][j] = max(table[i+1][j], table[i][j+1])
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			}
		}
	}
	return table
}

// writeDiffLine writes one line, and says when it has no end.
func writeDiffLine(out *strings.Builder, sign byte, line string) {
	out.WriteByte(sign)
	out.WriteString(line)
	if !strings.HasSuffix(line, "\n") {
		out.WriteString("\n\\ No newline at end of file\n")
	}
}
