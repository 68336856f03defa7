-- Runs once, when the database's volume is new. Prices are in cents.
CREATE TABLE products (
    sku   text PRIMARY KEY,
    name  text NOT NULL,
    price integer NOT NULL CHECK (price > 0),
    stock integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku      text NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    total    integer NOT NULL,
    payment  text NOT NULL
);

INSERT INTO products (sku, name, price, stock) VALUES
    ('mug', 'Mug', 1200, 40),
    ('teapot', 'Teapot', 3500, 12),
    ('golden-teapot', 'Golden teapot', 40200, 1);

INSERT INTO orders (sku, quantity, total, payment) VALUES
    ('mug', 1, 1200, 'pay-0001'),
    ('teapot', 1, 3500, 'pay-0002');
