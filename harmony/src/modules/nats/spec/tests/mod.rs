mod order;
mod programs;
mod rules;
mod words;
