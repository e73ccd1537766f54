package landing

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"time"
)

const (
	dayForm  = "2006-01-02"
	hourForm = "2006-01-02/15"
)

// file is one of the zone, as its name tells:
//
//	{date}/{hour}/p{partition}of{partitions}-{log}-{first}-{oldest}-{newest}-{rows}.parquet
//	{date}/{hour}/p{partition}of{partitions}-{log}-{first}-{oldest}-{newest}-{rows}-{span}.parquet
//
// below its tenant. Date and hour (UTC) are those of arrival; first is the sequence
// with which the batch begins that the file is of, in 20 digits; oldest and newest are
// the least and the greatest event time, in milliseconds since 1970. The second form is of
// files that were put together: first plus span, in 10 digits, is the sequence with which
// their last batch begins.
type file struct {
	hour                  time.Time // of arrival
	partition, partitions int
	log                   string // 8 hexadecimal digits for the incarnation of the log
	first                 uint64
	oldest, newest        time.Time
	rows                  uint64
	// through is 0 for a file as it landed; one that was put together holds all rows of
	// the batches that begin with first to through.
	through uint64
}

// last is the first sequence of the last batch of which the file holds rows.
func (f *file) last() uint64 { return max(f.first, f.through) }

// replaces reports whether the file holds all rows of the other one, which is another.
func (f *file) replaces(o *file) bool {
	return f.through != 0 && f.group() == o.group() && f.first <= o.first && o.last() <= f.through &&
		(f.first != o.first || f.through != o.through)
}

// logName shortens the identity of a log.
func logName(stream string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(stream)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

func (f file) name() string {
	through := ""
	if f.through != 0 {
		through = fmt.Sprintf("-%010d", f.through-f.first)
	}
	return fmt.Sprintf("%s/p%04dof%04d-%s-%020d-%013d-%013d-%07d%s.parquet", f.hour.UTC().Format(hourForm),
		f.partition, f.partitions, f.log, f.first, f.oldest.UnixMilli(), f.newest.UnixMilli(), f.rows, through)
}

var nameForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}/\d{2})/p(\d{4})of(\d{4})-([0-9a-f]{8})-(\d{20})-(\d{13})-(\d{13})-(\d{7,})(?:-(\d{10,13}))?\.parquet$`)

// parseName reads a name; false says that the file is none of the zone's readings.
func parseName(name string) (f file, ok bool) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil {
		return f, false
	}
	var err error
	if f.hour, err = time.Parse(hourForm, m[1]); err != nil {
		return f, false
	}
	number := func(s string) uint64 {
		n, e := strconv.ParseUint(s, 10, 64)
		if err == nil {
			err = e
		}
		return n
	}
	f.partition, f.partitions, f.log = int(number(m[2])), int(number(m[3])), m[4]
	f.first = number(m[5])
	f.oldest, f.newest = time.UnixMilli(int64(number(m[6]))).UTC(), time.UnixMilli(int64(number(m[7]))).UTC()
	f.rows = number(m[8])
	if m[9] != "" {
		f.through = f.first + number(m[9])
	}
	return f, err == nil && f.partition < f.partitions && (m[9] == "" || f.through > f.first)
}
