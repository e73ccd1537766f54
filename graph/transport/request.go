package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"foresight/internal/fault"
)

// problem is a request that cannot be understood, with the HTTP status to say so.
type problem struct {
	status int
	fault  *fault.Error
}

func badRequest(key string) *problem {
	return &problem{http.StatusBadRequest, fault.New(fault.BadInput, key)}
}

// fromPost reads the parameters from a JSON body of at most limit bytes.
func fromPost(r *http.Request, limit int64) (*graphql.RawParams, *problem) {
	t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if c := params["charset"]; err != nil || t != typeJSON || c != "" && !strings.EqualFold(c, "utf-8") {
		// Anything but JSON could be sent by a form of another site without asking first.
		return nil, &problem{http.StatusUnsupportedMediaType, fault.New(fault.BadInput, "error.graphql.contentType")}
	}
	start := graphql.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || int64(len(body)) > limit {
		return nil, &problem{http.StatusRequestEntityTooLarge, fault.New(fault.BadInput, "error.graphql.tooLarge").With("Limit", limit)}
	}
	if err != nil {
		return nil, badRequest("error.graphql.body")
	}
	p, err := decodeParams(body)
	if err != nil {
		return nil, &problem{http.StatusBadRequest, fault.New(fault.BadInput, "error.graphql.body").Because(err)}
	}
	if p.Query == "" && len(p.Extensions) == 0 {
		return nil, badRequest("error.graphql.noQuery")
	}
	p.Headers = r.Header
	p.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return p, nil
}

// fromGet reads the parameters from the query string.
func fromGet(r *http.Request) (*graphql.RawParams, *problem) {
	start := graphql.Now()
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("error.graphql.queryString")
	}
	p := &graphql.RawParams{Query: q.Get("query"), OperationName: q.Get("operationName"), Headers: r.Header}
	for name, v := range map[string]*map[string]any{"variables": &p.Variables, "extensions": &p.Extensions} {
		if s := q.Get(name); s != "" {
			if err := decodeObject([]byte(s), v); err != nil {
				return nil, badRequest("error.graphql.queryString")
			}
		}
	}
	if p.Query == "" && len(p.Extensions) == 0 {
		return nil, badRequest("error.graphql.noQuery")
	}
	p.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return p, nil
}

// decodeParams reads {query, operationName, variables, extensions}. Other members
// are ignored, as the drafts ask; members of another type than theirs are errors.
// Numbers keep their digits.
func decodeParams(b []byte) (*graphql.RawParams, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("not UTF-8")
	}
	var raw struct {
		Query         *string         `json:"query"`
		OperationName *string         `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
		Extensions    json.RawMessage `json:"extensions"`
	}
	if len(bytes.TrimLeft(b, " \t\r\n")) == 0 || bytes.TrimLeft(b, " \t\r\n")[0] != '{' {
		return nil, errors.New("not an object")
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	p := &graphql.RawParams{}
	if raw.Query != nil {
		p.Query = *raw.Query
	}
	if raw.OperationName != nil {
		p.OperationName = *raw.OperationName
	}
	if err := decodeObject(raw.Variables, &p.Variables); err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	if err := decodeObject(raw.Extensions, &p.Extensions); err != nil {
		return nil, fmt.Errorf("extensions: %w", err)
	}
	return p, nil
}

// decodeObject reads an object or null into a map.
func decodeObject(b []byte, v *map[string]any) error {
	if len(b) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}
