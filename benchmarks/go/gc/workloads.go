// SPDX-License-Identifier: MIT
//
// cache, queue and tree: each as the file of that name in benchmarks/gc, statement by statement.
package main

// ---- cache

type value struct{ words [12]uint64 }

type entry struct {
	value           *value
	key, hits, born uint64
}

const pairSize = 32 + 96

type cache struct {
	table     []*entry
	n, births uint64
	random    random
}

//go:noinline
func (c *cache) makeEntry(key uint64) *entry {
	e, v := new(entry), new(value)
	for i := range v.words {
		v.words[i] = key + uint64(i)
	}
	e.value = v
	e.key = key
	e.born = c.births
	c.births++
	return e
}

func (c *cache) setUp(live, seed uint64) {
	c.n = live / (pairSize + 8)
	c.random = random(seed)
	c.table = make([]*entry, c.n)
	for i := uint64(0); i < c.n; i++ {
		c.table[i] = c.makeEntry(2 * i)
	}
}

func (c *cache) run(mutator int, bytes uint64) uint64 {
	sum := uint64(mutator)
	for done := uint64(0); done < bytes; {
		key := c.random.below(2 * c.n)
		e := c.table[key/2]
		if e.key == key {
			e.hits++
			sum += e.value.words[key%12] + e.born
			continue
		}
		sum += e.hits
		c.table[key/2] = c.makeEntry(key)
		done += pairSize
	}
	return sum
}

func (c *cache) mutators() int { return 1 }
func (c *cache) live() uint64  { return c.n * (pairSize + 8) }

// ---- queue

type body struct{ words [4]uint64 }

type message struct {
	next           *message
	body           *body
	number, unused uint64
}

const messageSize = 32 + 32

type queue struct {
	head, tail *message
	n, number  uint64
	random     random
}

//go:noinline
func (q *queue) makeMessage() *message {
	m, b := new(message), new(body)
	for i := range b.words {
		b.words[i] = q.random.next()
	}
	m.body = b
	m.number = q.number
	q.number++
	return m
}

func (q *queue) setUp(live, seed uint64) {
	q.n = live / messageSize
	q.random = random(seed)
	q.head = q.makeMessage()
	q.tail = q.head
	for i := uint64(1); i < q.n; i++ {
		q.tail.next = q.makeMessage()
		q.tail = q.tail.next
	}
}

func (q *queue) run(mutator int, bytes uint64) uint64 {
	sum := uint64(mutator)
	for done := uint64(0); done < bytes; done += messageSize {
		q.tail.next = q.makeMessage()
		q.tail = q.tail.next
		sum += q.head.body.words[q.head.number%4] ^ q.head.number
		q.head = q.head.next
	}
	return sum
}

func (q *queue) mutators() int { return 1 }
func (q *queue) live() uint64  { return q.n * messageSize }

// ---- tree

const replaced = 15

type node struct {
	left, right *node
	key         uint64
	words       [5]uint64
}

const nodeSize = 64

type tree struct {
	top        *node
	n, nextKey uint64
	random     random
}

//go:noinline
func (t *tree) makeTree(nodes uint64) *node {
	if nodes == 0 {
		return nil
	}
	made := new(node)
	made.key = t.nextKey
	t.nextKey++
	for i := range made.words {
		made.words[i] = made.key * uint64(i+1)
	}
	made.left = t.makeTree((nodes - 1) / 2)
	made.right = t.makeTree(nodes - 1 - (nodes-1)/2)
	return made
}

func (t *tree) setUp(live, seed uint64) {
	t.n = live / nodeSize
	t.random = random(seed)
	t.top = t.makeTree(t.n)
}

func (t *tree) run(mutator int, bytes uint64) uint64 {
	sum := uint64(mutator)
	for done := uint64(0); done < bytes; {
		above, at, nodes, path, right := t.top, t.top, t.n, t.random.next(), false
		for ; nodes > replaced; path >>= 1 {
			above = at
			right = path&1 == 1
			sum += at.key ^ at.words[path%5]
			if right {
				nodes = nodes - 1 - (nodes-1)/2
				at = at.right
			} else {
				nodes = (nodes - 1) / 2
				at = at.left
			}
		}
		if right {
			above.right = t.makeTree(nodes)
		} else {
			above.left = t.makeTree(nodes)
		}
		done += nodes * nodeSize
	}
	return sum
}

func (t *tree) mutators() int { return 1 }
func (t *tree) live() uint64  { return t.n * nodeSize }
