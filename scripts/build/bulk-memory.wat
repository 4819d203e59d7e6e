;; The two bulk-memory instructions as functions of vector instructions, which leave nothing to the
;; engine: 16 bytes at a time, then those that are left.

;; The `size` bytes from `to` on become `value`.
(func $memory_fill (param $to i32) (param $value i32) (param $size i32)
  (local $end i32)
  (local $bytes v128)
  (local.set $end (i32.add (local.get $to) (local.get $size)))
  (local.set $bytes (i8x16.splat (local.get $value)))
  (block $rest
    (loop $chunks
      (br_if $rest (i32.lt_u (i32.sub (local.get $end) (local.get $to)) (i32.const 16)))
      (v128.store align=1 (local.get $to) (local.get $bytes))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (br $chunks)))
  (block $done
    (loop $bytes
      (br_if $done (i32.eq (local.get $to) (local.get $end)))
      (i32.store8 (local.get $to) (local.get $value))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br $bytes))))

;; The `size` bytes from `from` on are copied to `to`, as if all were read before the first is
;; written: downwards where the end of what is read would be overwritten.
(func $memory_copy (param $to i32) (param $from i32) (param $size i32)
  (local $i i32)
  (if (i32.lt_u (i32.sub (local.get $to) (local.get $from)) (local.get $size))
    (then
      (block $rest
        (loop $chunks
          (br_if $rest (i32.lt_u (local.get $size) (i32.const 16)))
          (local.set $size (i32.sub (local.get $size) (i32.const 16)))
          (v128.store align=1
            (i32.add (local.get $to) (local.get $size))
            (v128.load align=1 (i32.add (local.get $from) (local.get $size))))
          (br $chunks)))
      (block $done
        (loop $bytes
          (br_if $done (i32.eqz (local.get $size)))
          (local.set $size (i32.sub (local.get $size) (i32.const 1)))
          (i32.store8
            (i32.add (local.get $to) (local.get $size))
            (i32.load8_u (i32.add (local.get $from) (local.get $size))))
          (br $bytes))))
    (else
      (block $rest
        (loop $chunks
          (br_if $rest (i32.lt_u (i32.sub (local.get $size) (local.get $i)) (i32.const 16)))
          (v128.store align=1
            (i32.add (local.get $to) (local.get $i))
            (v128.load align=1 (i32.add (local.get $from) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 16)))
          (br $chunks)))
      (block $done
        (loop $bytes
          (br_if $done (i32.eq (local.get $i) (local.get $size)))
          (i32.store8
            (i32.add (local.get $to) (local.get $i))
            (i32.load8_u (i32.add (local.get $from) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $bytes))))))
