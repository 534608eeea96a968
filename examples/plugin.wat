;; A plug-in that works, or takes all the time and memory that it gets.
(component
  (core module $m
    (memory 1)
    (func (export "sum") (param $to i32) (result i64)
      (local $sum i64)
      (loop $next
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $to))))
        (br_if $next (local.tee $to (i32.sub (local.get $to) (i32.const 1)))))
      (local.get $sum))
    (func (export "spin") (loop $forever (br $forever)))
    (func (export "grow") (param $pages i32) (result i32)
      (memory.grow (local.get $pages))))
  (core instance $m (instantiate $m))
  (func (export "sum") (param "to" u32) (result u64) (canon lift (core func $m "sum")))
  (func (export "spin") (canon lift (core func $m "spin")))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $m "grow"))))
