;; Returns what it is given: what is measured is how values get in and out. Room for arguments is
;; taken from the start of the heap, and given back when the results have been read.
(component
  (core module $m
    (memory (export "memory") 20)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param i32) (param $align i32) (param $size i32)
        (result i32)
      (local $place i32)
      (local.set $place
        (i32.and
          (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
          (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $place) (local.get $size)))
      (local.get $place))
    (func (export "free") (param i32)
      (global.set $heap (i32.const 1024)))
    (func (export "add") (param i32 i32) (result i32)
      (i32.add (local.get 0) (local.get 1)))
    (func (export "echo") (param $place i32) (param $length i32) (result i32)
      (i32.store (i32.const 16) (local.get $place))
      (i32.store (i32.const 20) (local.get $length))
      (i32.const 16)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (alias core export $i "free" (core func $free))
  (alias core export $i "echo" (core func $echo))

  (func (export "add") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $i "add")))

  (func (export "text") (param "text" string) (result string)
    (canon lift (core func $echo)
      (memory (core memory $memory)) (realloc (core func $realloc)) (post-return (core func $free))))

  (func (export "bytes") (param "bytes" (list u8)) (result (list u8))
    (canon lift (core func $echo)
      (memory (core memory $memory)) (realloc (core func $realloc)) (post-return (core func $free))))

  (type $tuples (list (tuple s32 s32 string)))
  (func (export "tuples") (param "list" $tuples) (result $tuples)
    (canon lift (core func $echo)
      (memory (core memory $memory)) (realloc (core func $realloc)) (post-return (core func $free))))

  (type $record (record (field "x" s32) (field "y" s32) (field "name" string)))
  (export $point "point" (type $record))
  (type $points (list $point))
  (func (export "records") (param "list" $points) (result $points)
    (canon lift (core func $echo)
      (memory (core memory $memory)) (realloc (core func $realloc)) (post-return (core func $free)))))
