// SPDX-License-Identifier: MIT
//
// server: as benchmarks/gc/server.c, statement by statement.
package main

const (
	kept        = 8
	headers     = 6
	passes      = 48 // over an answer, as it is encoded: about a microsecond
	servers     = 2
	itemSize    = 32 + 64
	sessionSize = 8 + 96 + kept*itemSize
	requestSize = 64 + headers*32 + 256
)

type text struct{ words [8]uint64 }

type item struct {
	text   *text
	number uint64
	words  [2]uint64
}

type session struct {
	items            [kept]*item
	number, answered uint64
	words            [2]uint64
}

type header struct {
	next  *header
	words [3]uint64
}

type buffer struct{ words [32]uint64 }

type request struct {
	headers *header
	buffer  *buffer
	session *session
	words   [5]uint64
}

type server struct {
	sessions [servers][]*session
	n        uint64
	of       [servers]struct {
		random random
		number uint64
		_      [48]byte
	}
}

//go:noinline
func makeItem(number uint64) *item {
	i, t := new(item), new(text)
	for k := range t.words {
		t.words[k] = number * uint64(k+3)
	}
	i.text = t
	i.number = number
	return i
}

//go:noinline
func makeSession(number uint64) *session {
	s := new(session)
	s.number = number
	for i := range s.items {
		s.items[i] = makeItem(number + uint64(i))
	}
	return s
}

//go:noinline
func makeRequest(s *session, number uint64) *request {
	r := new(request)
	r.session = s
	r.buffer = new(buffer)
	for i := uint64(0); i < headers; i++ {
		h := new(header)
		h.words[0] = number + i
		h.next = r.headers
		r.headers = h
	}
	return r
}

//go:noinline
func answer(r *request) uint64 {
	s, at := r.session, uint64(0)
	sum := s.number
	for h := r.headers; h != nil; h = h.next {
		r.buffer.words[at] = h.words[0]
		at++
	}
	for i := range s.items {
		r.buffer.words[at] = s.items[i].text.words[i]
		at++
	}
	for pass := 0; pass < passes; pass++ {
		for i := uint64(0); i < at; i++ {
			sum = (sum ^ r.buffer.words[i]) * 0x100000001b3
		}
	}
	s.answered++
	return sum
}

func (s *server) setUp(live, seed uint64) {
	s.n = live / sessionSize / servers
	for m := range s.sessions {
		s.sessions[m] = make([]*session, s.n)
	}
	for i := uint64(0); i < s.n; i++ {
		s.sessions[0][i] = makeSession(i)
		s.sessions[1][i] = makeSession(i + s.n)
	}
	for m := range s.of {
		s.of[m].random = random(seed + uint64(m))
	}
}

func (s *server) run(mutator int, bytes uint64) uint64 {
	sessions, of := s.sessions[mutator], &s.of[mutator]
	sum := uint64(0)
	for done := uint64(0); done < bytes; {
		one := sessions[of.random.below(s.n)]
		number := of.number
		of.number++
		sum += answer(makeRequest(one, number))
		done += requestSize
		if number%2 == 0 {
			one.items[one.answered%kept] = makeItem(number)
			done += itemSize
		}
	}
	return sum
}

func (s *server) mutators() int { return servers }
func (s *server) live() uint64  { return servers * s.n * sessionSize }
