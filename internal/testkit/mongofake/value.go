package mongofake

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// matches judges a document by a filter.
func matches(d, filter bson.D) (bool, error) {
	for _, e := range filter {
		have := Get(d, e.Key)
		operators, ok := e.Value.(bson.D)
		if !ok {
			operators = bson.D{{Key: "$eq", Value: e.Value}}
		}
		for _, o := range operators {
			ok, err := holds(have, o.Key, o.Value)
			if err != nil || !ok {
				return false, err
			}
		}
	}
	return true, nil
}

func holds(have any, operator string, want any) (bool, error) {
	c, same := compare(have, want), rank(have) == rank(want)
	switch operator {
	case "$eq":
		return c == 0, nil
	case "$lt":
		return same && c < 0, nil
	case "$lte":
		return same && c <= 0, nil
	case "$gt":
		return same && c > 0, nil
	case "$gte":
		return same && c >= 0, nil
	case "$in":
		return slices.ContainsFunc(want.(bson.A), func(v any) bool { return compare(have, v) == 0 }), nil
	}
	return false, fail(2, "unknown operator: %s", operator)
}

func number(v any) (int64, bool) {
	switch v := v.(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return int64(v), v == float64(int64(v))
	}
	return 0, false
}

// rank is the order of types.
func rank(v any) int {
	switch v.(type) {
	case nil:
		return 1
	case int, int32, int64, float64:
		return 2
	case string:
		return 3
	case bson.D:
		return 4
	case bson.A:
		return 5
	case bson.Binary:
		return 6
	case bool:
		return 7
	case bson.DateTime:
		return 8
	}
	panic(fmt.Sprintf("mongofake: a value of type %T", v))
}

// compare orders values as MongoDB does: binary data by length, subtype and bytes.
func compare(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case bson.DateTime:
		return cmp.Compare(a, b.(bson.DateTime))
	case bson.Binary:
		b := b.(bson.Binary)
		return cmp.Or(cmp.Compare(len(a.Data), len(b.Data)), cmp.Compare(a.Subtype, b.Subtype), bytes.Compare(a.Data, b.Data))
	case bool:
		if a == b.(bool) {
			return 0
		} else if a {
			return 1
		}
		return -1
	case bson.D:
		return slices.CompareFunc(a, b.(bson.D), func(x, y bson.E) int { return cmp.Or(cmp.Compare(x.Key, y.Key), compare(x.Value, y.Value)) })
	case bson.A:
		return slices.CompareFunc(a, b.(bson.A), compare)
	case nil:
		return 0
	}
	return cmp.Compare(float(a), float(b))
}

func float(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	n, _ := number(v)
	return float64(n)
}

// typeName is the alias of a value's type in $jsonSchema.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case int32:
		return "int"
	case int64:
		return "long"
	case float64:
		return "double"
	case string:
		return "string"
	case bson.D:
		return "object"
	case bson.A:
		return "array"
	case bson.Binary:
		return "binData"
	case bool:
		return "bool"
	case bson.DateTime:
		return "date"
	}
	return fmt.Sprintf("%T", v)
}

// violates says what of a value breaks a $jsonSchema, "" when nothing does.
func violates(v any, schema bson.D, at string) string {
	for _, rule := range schema {
		switch rule.Key {
		case "bsonType":
			types, several := rule.Value.(bson.A)
			if !several {
				types = bson.A{rule.Value}
			}
			if !slices.Contains(types, any(typeName(v))) {
				return fmt.Sprintf("%s is %s", at, typeName(v))
			}
		case "enum":
			if !slices.ContainsFunc(rule.Value.(bson.A), func(e any) bool { return compare(e, v) == 0 }) {
				return fmt.Sprintf("%s is %v", at, v)
			}
		case "minimum":
			if float(v) < float(rule.Value) {
				return fmt.Sprintf("%s is %v", at, v)
			}
		case "maximum":
			if float(v) > float(rule.Value) {
				return fmt.Sprintf("%s is %v", at, v)
			}
		case "required":
			for _, name := range rule.Value.(bson.A) {
				if !slices.ContainsFunc(v.(bson.D), func(e bson.E) bool { return e.Key == name }) {
					return fmt.Sprintf("%s has no %v", at, name)
				}
			}
		case "properties", "additionalProperties":
			named, _ := Get(schema, "properties").(bson.D)
			for _, e := range v.(bson.D) {
				s, ok := Get(named, e.Key).(bson.D)
				if rule.Key == "additionalProperties" {
					s, ok = rule.Value.(bson.D), !ok
				}
				if !ok {
					continue
				}
				if why := violates(e.Value, s, at+"."+e.Key); why != "" {
					return why
				}
			}
		case "items":
			for i, e := range v.(bson.A) {
				if why := violates(e, rule.Value.(bson.D), fmt.Sprintf("%s[%d]", at, i)); why != "" {
					return why
				}
			}
		case "minItems":
			if n, _ := number(rule.Value); int64(len(v.(bson.A))) < n {
				return at + " is too short"
			}
		case "maxItems":
			if n, _ := number(rule.Value); int64(len(v.(bson.A))) > n {
				return at + " is too long"
			}
		default:
			panic("mongofake: $jsonSchema with " + rule.Key)
		}
	}
	return ""
}
