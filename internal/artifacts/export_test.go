package artifacts

// Product is where what ships is kept.
var Product = product
