package training

import (
	"encoding/binary"
	"hash/fnv"
	"hash/maphash"
	"math"
)

// plants is the first group that names a machine of a plant: such a group is the same
// machine in every data set, so that what is gathered of it later joins what is there, in
// the same split. Lower groups number the machines of one data set.
const plants = 1 << 31

// Machine is the group of a plant's machine by its id. Of 5,000 machines two share a group
// in one plant of 170: they are then taken for one.
func Machine(id []byte) uint32 {
	h := fnv.New64a()
	h.Write(id)
	s := h.Sum64()
	return plants | uint32(s^s>>32)
}

// machines are the groups of a plant's machines in the data set, with their splits.
func (d *Dataset) machines() map[uint32]Split {
	out := map[uint32]Split{}
	for s := range d.Parts {
		for _, g := range d.Parts[s].Group {
			if g >= plants {
				out[g] = Split(s)
			}
		}
	}
	return out
}

// next is the first number behind those of the machines that are of no plant.
func (d *Dataset) next() (n uint32) {
	for s := range d.Parts {
		for _, g := range d.Parts[s].Group {
			if g < plants {
				n = max(n, g+1)
			}
		}
	}
	return n
}

// fingerprints tell examples apart, by group and features. They hold for one process, and
// are made by one goroutine at a time.
type fingerprints struct {
	seed maphash.Seed
	buf  []byte
}

func newFingerprints() fingerprints { return fingerprints{seed: maphash.MakeSeed()} }

func (f *fingerprints) of(group uint32, x []float32) uint64 {
	f.buf = binary.LittleEndian.AppendUint32(f.buf[:0], group)
	for _, v := range x {
		f.buf = binary.LittleEndian.AppendUint32(f.buf, math.Float32bits(v))
	}
	return maphash.Bytes(f.seed, f.buf)
}

// examples are those of plants' machines that were met.
type examples struct {
	fingerprints
	met map[uint64]struct{}
}

func newExamples() *examples { return &examples{newFingerprints(), map[uint64]struct{}{}} }

func (e *examples) add(r *Row) {
	if r.Group >= plants {
		e.met[e.of(r.Group, r.X)] = struct{}{}
	}
}

func (e *examples) has(r *Row) bool {
	if r.Group < plants {
		return false
	}
	_, met := e.met[e.of(r.Group, r.X)]
	return met
}
