// Package rng gives named random streams. A stream is identified by a seed and a path of names; streams with different
// identities are independent, and one stream's use never changes another's draws. Nothing here reads the clock, so a
// program that names its streams is repeatable.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
)

// Stream is a random stream: PCG-DXSM (O'Neill, 2014), seeded by SHA-256 of its identity. It offers the methods of
// math/rand/v2.Rand (IntN, Float64, NormFloat64, Perm, Shuffle, …). It is not safe for concurrent use.
type Stream struct {
	*rand.Rand
	pcg *rand.PCG
	id  [sha256.Size]byte
}

// New returns the stream of a seed and a path of names. ("a", "bc") and ("ab", "c") are different paths.
func New(seed uint64, names ...string) *Stream {
	return derive(sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("espalier.rng.1"), seed)), names)
}

// Split returns the stream below s with the given names. It depends on s's identity alone, not on how much was drawn.
func (s *Stream) Split(names ...string) *Stream { return derive(s.id, names) }

// At returns the stream below s with a number for a name: an epoch, an image.
func (s *Stream) At(i uint64) *Stream {
	return seeded(sha256.Sum256(binary.LittleEndian.AppendUint64(append(s.id[:], '#'), i)))
}

// Bernoulli is true with probability p.
func (s *Stream) Bernoulli(p float64) bool { return s.Float64() < p }

func derive(id [sha256.Size]byte, names []string) *Stream {
	for _, name := range names {
		h := sha256.Sum256([]byte(name))
		id = sha256.Sum256(append(append(id[:], '/'), h[:]...))
	}
	return seeded(id)
}

func seeded(id [sha256.Size]byte) *Stream {
	pcg := rand.NewPCG(binary.LittleEndian.Uint64(id[:]), binary.LittleEndian.Uint64(id[8:]))
	return &Stream{Rand: rand.New(pcg), pcg: pcg, id: id}
}

// MarshalBinary returns the stream's identity and position, for a checkpoint.
func (s *Stream) MarshalBinary() ([]byte, error) {
	position, err := s.pcg.MarshalBinary()
	return append(s.id[:len(s.id):len(s.id)], position...), err
}

// UnmarshalBinary continues the stream that MarshalBinary described.
func (s *Stream) UnmarshalBinary(b []byte) error {
	if len(b) < len(s.id) {
		return errors.New("rng: the state of a random stream is too short")
	}
	pcg := new(rand.PCG)
	if err := pcg.UnmarshalBinary(b[len(s.id):]); err != nil {
		return errors.New("rng: the state of a random stream is damaged")
	}
	copy(s.id[:], b)
	s.pcg, s.Rand = pcg, rand.New(pcg)
	return nil
}
