import { type RefObject, useEffect, useRef } from "react";

/**
 * Let another page begin as a load does: at its top, and with the focus in it.
 *
 * Returns where the focus goes. Going back is left to the browser, which knows where one was.
 */
export function useArrival(path: string): RefObject<HTMLElement | null> {
  const place = useRef<HTMLElement>(null);
  const last = useRef(path);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    place.current?.focus({ preventScroll: true });
  }, [path]);
  useEffect(() => {
    const toTop = () => {
      window.scrollTo(0, 0);
    };
    window.addEventListener("pushState", toTop); // wouter's word for a link that was followed
    return () => {
      window.removeEventListener("pushState", toTop);
    };
  }, []);
  return place;
}
