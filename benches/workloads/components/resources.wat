;; A resource of the guest's, for the host to make, use and drop; and one of the host's, which the
;; guest makes, uses and drops `n` times.
(component
  (import "host" (instance $host
    (export "cell" (type $cell (sub resource)))
    (export "[constructor]cell" (func (param "value" u32) (result (own $cell))))
    (export "[method]cell.value" (func (param "self" (borrow $cell)) (result u32)))))
  (alias export $host "cell" (type $cell))
  (core func $make (canon lower (func $host "[constructor]cell")))
  (core func $value (canon lower (func $host "[method]cell.value")))
  (core func $drop (canon resource.drop $cell))

  (core module $d
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32)
      (global.set $dropped (i32.add (global.get $dropped) (i32.const 1)))))
  (core instance $d (instantiate $d))
  (type $thing' (resource (rep i32) (dtor (core func $d "dtor"))))
  (core func $new (canon resource.new $thing'))

  (core module $m
    (import "resource" "new" (func $new (param i32) (result i32)))
    (import "resource" "dropped" (global $dropped (mut i32)))
    (import "host" "make" (func $make (param i32) (result i32)))
    (import "host" "value" (func $value (param i32) (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "constructor") (param i32) (result i32)
      (call $new (local.get 0)))
    ;; The representation is the value.
    (func (export "value") (param i32) (result i32)
      (local.get 0))
    (func (export "dropped") (result i32)
      (global.get $dropped))
    (func (export "cells") (param $n i32) (result i32)
      (local $x i32) (local $cell i32)
      (loop $again
        (local.set $cell (call $make (local.get $n)))
        (local.set $x (i32.add (local.get $x) (call $value (local.get $cell))))
        (call $drop (local.get $cell))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $n)))
      (local.get $x)))
  (core instance $i (instantiate $m
    (with "resource" (instance
      (export "new" (func $new))
      (export "dropped" (global $d "dropped"))))
    (with "host" (instance
      (export "make" (func $make))
      (export "value" (func $value))
      (export "drop" (func $drop))))))

  (export $thing "thing" (type $thing'))
  (func (export "[constructor]thing") (param "value" u32) (result (own $thing))
    (canon lift (core func $i "constructor")))
  (func (export "[method]thing.value") (param "self" (borrow $thing)) (result u32)
    (canon lift (core func $i "value")))
  (func (export "dropped") (result u32)
    (canon lift (core func $i "dropped")))
  (func (export "cells") (param "n" u32) (result u32)
    (canon lift (core func $i "cells"))))
