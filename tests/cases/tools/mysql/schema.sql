create table customers(id int primary key auto_increment, name varchar(40) not null default 'x' comment 'who', email varchar(80) unique, tier enum('free','paid'), made datetime default now(), amount decimal(10,2), parent int, foreign key (parent) references customers(id), check (name <> '')) comment 'people';
create table orders(id bigint primary key auto_increment, customer int, amount decimal(10,2), foreign key (customer) references customers(id) on delete cascade, index (amount));
create table secrets(id int primary key, what text);
create view v as select id, email from customers; create function f(x int) returns int deterministic return x + 1; create procedure p(in a int, out b int) select 1;
create trigger tr before insert on orders for each row set new.amount = 1;
