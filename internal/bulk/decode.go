package bulk

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"foresight/internal/fault"
)

// mark is the byte order mark of UTF-8.
const mark = "\ufeff"

// decode returns a file as UTF-8 without a mark. Spreadsheets write UTF-8 with or
// without one, UTF-16 with one ("Unicode text"), or the system's code page; what is no
// UTF-8 is taken for Windows-1252, the code page of western Europe.
func decode(b []byte) ([]byte, *fault.Error) {
	switch {
	case bytes.HasPrefix(b, []byte("PK\x03\x04")), bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")):
		return nil, fault.New(fault.BadInput, "error.import.workbook")
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(b)
		if err != nil {
			return nil, fault.New(fault.BadInput, "error.import.encoding").Because(err)
		}
		b = out
	case bytes.HasPrefix(b, []byte(mark)):
		b = b[len(mark):]
		if !utf8.Valid(b) {
			return nil, fault.New(fault.BadInput, "error.import.encoding")
		}
	case !utf8.Valid(b):
		out, err := charmap.Windows1252.NewDecoder().Bytes(b)
		if err != nil {
			return nil, fault.New(fault.BadInput, "error.import.encoding").Because(err)
		}
		b = out
	}
	if bytes.IndexByte(b, 0) >= 0 { // no text, and PostgreSQL has none such
		return nil, fault.New(fault.BadInput, "error.import.encoding")
	}
	return b, nil
}
