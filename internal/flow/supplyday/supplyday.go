// Package supplyday joins forecast, stock, recipes and suppliers into the plan of a day: what a site makes, what
// it takes, what is ordered for it. It plans from files without a database, and from what the house knows.
// See README.md.
package supplyday
