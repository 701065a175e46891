package search

import (
	"fmt"
	"math"
	"strings"
)

// tokenKind is a kind of token of a genotype's text.
type tokenKind uint8

const (
	end    tokenKind = iota
	word             // a name of letters, digits and underscores
	number           // digits
	quoted           // a name in quotes of either kind
	symbol           // any other character
)

// token is a piece of text. Text is a quoted name without its quotes.
type token struct {
	kind   tokenKind
	text   string
	value  int // of a number
	offset int // bytes
}

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// lexer cuts Python's literals into tokens; the current one is token.
type lexer struct {
	text  string
	at    int
	token token
}

// next makes the next token the current one. Blanks and comments separate tokens.
func (l *lexer) next() {
	l.skip()
	t := token{kind: end, offset: l.at}
	rest := l.text[l.at:]
	if rest == "" {
		l.token = t
		return
	}
	length := 1
	switch c := rest[0]; {
	case c >= '0' && c <= '9':
		t.kind = number
		length = runLength(rest, func(c byte) bool { return c >= '0' && c <= '9' })
		t.text = rest[:length]
		t.value = decimal(t.text)
	case inName(c):
		t.kind = word
		length = runLength(rest, inName)
		t.text = rest[:length]
	case c == '\'' || c == '"':
		name := runLength(rest[1:], inName)
		if 1+name < len(rest) && rest[1+name] == c && name > 0 {
			t.kind, t.text, length = quoted, rest[1:1+name], name+2
			break
		}
		fallthrough
	default:
		t.kind, t.text = symbol, string([]rune(rest[:min(len(rest), 4)])[:1])
	}
	l.at += length
	l.token = t
}

func (l *lexer) skip() {
	for l.at < len(l.text) {
		switch l.text[l.at] {
		case ' ', '\t', '\r', '\n':
			l.at++
		case '#':
			line := strings.IndexByte(l.text[l.at:], '\n')
			if line < 0 {
				line = len(l.text) - l.at
			}
			l.at += line
		default:
			return
		}
	}
}

func inName(c byte) bool { return !notInName(rune(c)) }

func runLength(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

// decimal is the value of digits, or the largest number if they are many.
func decimal(digits string) int {
	n := 0
	for _, d := range digits {
		if n > (math.MaxInt32-9)/10 {
			return math.MaxInt32
		}
		n = 10*n + int(d-'0')
	}
	return n
}
