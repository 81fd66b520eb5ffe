// Package score measures what the product promises on public data, by scorers of its own. Its tests are behind the tag data
// and run with `make score`.
package score
